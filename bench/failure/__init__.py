"""A failing cell's folder: its inputs, a repro without this project, the first step that diverged."""

from bench.failure.freeze import folder_name as folder_name
from bench.failure.steps import explained as explained
