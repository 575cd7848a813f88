"""The folder of a failed cell: its inputs, a repro script without this project, the first diverging step."""

from bench.failure.freeze import folder_name as folder_name
from bench.failure.steps import explained as explained
