"""What we claim, measured: each module runs as python -m benchmarks.<name>."""
