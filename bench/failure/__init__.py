"""A failing cell's folder: its inputs, a repro without this project, the first step that diverged."""
