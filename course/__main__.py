"""`python -m course`, for where the command itself is not on the path."""

from course.cli import app

app(prog_name="course")
