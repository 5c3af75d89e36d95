"""The images: what their Dockerfile, locks and compose.yaml say, and with podman what they are and do."""
