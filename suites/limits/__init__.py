"""Known departures of each page: their causes in <page>.py, their measured sizes in <page>.json.

A Limit names the package at fault, the reason, the source, and the cells. The sizes are never typed. To
measure them with the installed releases:

    pytest suites/ --full --limited --results RUN
    gaugeblock limits --measure RUN
"""
