"""The engine: makes Rows from Cases and Backends, stores them and reports them. It contains no formula.

The public API is the package gaugeblock. These are the subpackages ("rooms"), from the top; each imports only
those below it, and its ``__init__`` has a summary.

    cli                  the command `gaugeblock`
    campaign             a run of everything on a machine that is lent for minutes
    studies, mutation    experiments on Gaugeblock itself; planted faults
    gate                 two environments against each other, live
    run                  a run: its plan, its workers, the pytest plug-in
    site                 the published report: pages for a browser
    report, failure      tables from rows; the folder of a failed cell
    verdict              compares outputs with expected values
    tolerance            the reference's values, and how far rounding alone may move them
    speed                timing
    contender            builds, calls and trains a contender
    store                rows and runs on disk
    inputs, answers      the inputs of a cell; what the functions of a page give, checked
    cells                the coordinates of the suite, and the selection for a run
    backends             one interface to every framework
    coarse, size, pages, case    the classes of a page, and where pages are found
    worker               a process that runs functions by name
    machine              the records of a machine
    noise                Monte Carlo rounding
    cache, digits, slip, tree    used everywhere
"""
