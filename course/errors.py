"""The error of a user's mistake: shown as one sentence, never as a traceback."""


class CourseError(Exception):
    """Says what was given, what was expected and what to do. The command line prints it and exits with status 1."""
