"""Benchmarks: made-up cases in bulk, and what the product needs for its main steps. Run by `huying bench`."""
