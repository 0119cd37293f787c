"""Benchmarks: each against named baselines, interleaved in one run, last line JSON."""
