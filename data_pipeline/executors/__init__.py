"""Where the tasks of a stage run: on this machine, on a Slurm cluster, or on a Ray cluster."""

import os

# loguru would print the values of variables, and so tickets, into the traceback of a failed task.
os.environ["LOGURU_DIAGNOSE"] = "NO"
