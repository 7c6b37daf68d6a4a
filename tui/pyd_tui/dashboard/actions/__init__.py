"""What users can do from the dashboard."""
