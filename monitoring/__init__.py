"""What Prometheus and Grafana need to watch Sexton, and the code that writes the dashboard."""
