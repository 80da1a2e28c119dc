"""nbgrader's settings for this course; every `nbgrader` command that is called in this folder reads them."""

import pathlib

c = get_config()  # noqa: F821 (nbgrader defines it)

c.CourseDirectory.course_id = "sequence-models"
# Of this file, so that it holds wherever the repository lies.
c.CourseDirectory.root = str(pathlib.Path(__file__).resolve().parent)

# The instructor's notebooks and what is generated from them. Submissions are expected in submitted/STUDENT/PROBLEM_SET;
# nbgrader makes autograded/, feedback/ and gradebook.db. None of these four belongs in git.
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"

# nbgrader takes a cell that writes to stderr for a failed one, and TensorFlow writes its warnings there: without these
# two lines a right answer gets 0 points. `nbgrader validate` does not apply them; `course check` is for that.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"[\s\S]*"

# The mark scheme of a written answer stands in the locked cell of the question, beside the answer. formgrader shows it
# there, and `nbgrader generate_feedback` would show it to students; `course feedback` does not. nbgrader expects it in
# a "task" cell, where an answer left blank does not get its 0 by itself.
c.ClearMarkScheme.enforce_metadata = False

# In seconds, for a cell. The first one imports TensorFlow, which takes long on a busy machine.
c.Execute.timeout = 120
# How long the outputs of a cell that has finished may take to arrive: the 4 seconds that nbgrader waits otherwise are
# too few on a busy machine, and cost a right answer its points.
c.Execute.iopub_timeout = 60
