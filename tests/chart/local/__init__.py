"""What the chart renders, as processes of this machine: pods, Services, probes and rollouts, and no cluster."""
