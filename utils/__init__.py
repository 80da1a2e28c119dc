"""What the course's notebooks import: small modules, one job each. What teaches stays visible in the notebooks."""
