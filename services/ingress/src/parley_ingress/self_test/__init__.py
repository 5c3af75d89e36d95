"""The check that ``helm test`` runs: a signed text sent through all of Parley, from inside the cluster."""
