"""Known departures of each page: the cause in <page>.py, what was measured of it in <page>.json.

A cause is prose, written once; `gaugeblock limits --measure RUN…` writes the data, and nobody types them.
"""
