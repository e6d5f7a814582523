"""Measuring the product: data sets, metrics, runs, comparisons and reports. Reading order: datasets, metrics, runs, report."""
