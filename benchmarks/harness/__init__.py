"""What the comparison scripts share: measured processes, the machine, statistics, tables and plots. Python's standard library only."""
