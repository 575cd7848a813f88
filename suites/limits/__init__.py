"""Known departures of each page: their causes in <page>.py, what was measured of them in <page>.json.

A cause is prose, written once: the package at fault, the reason, the source, the cells that it reaches.
How far these cells are off is data, and nobody types it. To measure it in the releases that are installed:

    pytest suites/ --full --limited --results RUN
    gaugeblock limits --measure RUN
"""
