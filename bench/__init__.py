"""The machine: it makes Rows out of Cases and Backends, and reads them back. It knows no formula.

What is public has its door in the package gaugeblock. The rooms, from the top: each imports only what stands
below it, and its ``__init__`` says what happens there.

    cli                  the command `gaugeblock`
    studies, mutation    experiments on the instrument itself; planted faults
    run                  a run: its plan, its workers, the pytest plug-in
    report, failure      rows to tables; a failing cell's folder
    verdict              got against expected
    tolerance            what the reference gives, and how far rounding alone may move it
    speed                the clock
    contender            a contender built, called and trained
    store                rows and runs on disk
    inputs               what a cell is given
    cells                one coordinate of the suite, and which of them a run has
    backends             a framework seen as a few verbs
    coarse, size, pages, case    the words of a page, and where pages are found
    worker               a process that runs named functions
    machine              the records of a machine
    noise                Monte-Carlo rounding
    cache, digits, slip, tree    the ground
"""
