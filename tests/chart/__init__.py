"""The Helm chart, rendered by real Helm and judged without a cluster."""
