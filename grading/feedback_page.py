"""The page that a student reads: its style and, for jinja2, its HTML."""

STYLE = """
body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 50rem; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: anywhere; }
h1, h2 { line-height: 1.25; }
h2 { margin-top: 2.5rem; border-top: 1px solid #767676; padding-top: 1rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: bold; padding: .5rem 0; }
th, td { border: 1px solid #767676; padding: .4rem .6rem; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; }
section thead th { width: 45%; } section thead th.number { width: 10%; }
pre { font: .9rem/1.4 ui-monospace, monospace; white-space: pre-wrap; margin: .3rem 0 0; }
.good { color: #00593b; } .bad { color: #8c1d00; font-weight: bold; } .written { color: #33414f; }
.fault { border-left: .4rem solid #8c1d00; padding: .5rem 1rem; background: #fff4ef; }
/* A phone is too narrow for three columns: each check becomes a card, and its cells lie below each other. */
@media (max-width: 36rem) {
  section :is(table, caption, tbody, tr, th, td) { display: block; }
  section thead { position: absolute; clip-path: inset(50%); }
  section tr { border: 1px solid #767676; margin-bottom: .6rem; padding: .2rem 0; }
  section :is(th, td) { border: 0; padding: .2rem .6rem; }
  section td.number { text-align: left; } section td.number::before { content: "Points: "; }
}
@media print { body { margin: 0; max-width: none; } tr, .fault { break-inside: avoid; } h2 { break-after: avoid; } }
"""
PAGE = (
    """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Feedback on {{ title }} for {{ student }}</title>
<style>"""
    + STYLE
    + """</style>
</head>
<body>
<main>
<h1>Feedback on {{ title }}</h1>
<p>For <bdi>{{ student }}</bdi>. Handed in on {{ received }}, graded on {{ graded }}.</p>
<p><strong>{{ points }} of {{ possible }} points</strong>{% if waiting %} so far: a written answer waits to be
marked by a person{% endif %}.</p>
{% if fault %}
<div class="fault" role="note"><p><strong>Your file could not be graded as it is.</strong></p>
<pre dir="auto">{{ fault }}</pre>
<p>Hand in the notebook that you worked in: one complete file whose name ends in .ipynb.</p></div>
{% endif %}
{% if sections %}
<table>
<caption>Points by exercise</caption>
<thead><tr><th scope="col">Exercise</th><th scope="col" class="number">Points</th>
<th scope="col" class="number">Out of</th></tr></thead>
<tbody>
{% for section in sections %}
<tr><th scope="row"><a href="#exercise-{{ loop.index }}">{{ section.title }}</a></th>
<td class="number">{{ section.points }}</td><td class="number">{{ section.possible }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endif %}
{% for section in sections %}
<section aria-labelledby="exercise-{{ loop.index }}">
<h2 id="exercise-{{ loop.index }}">{{ section.title }} ({{ section.points }} of {{ section.possible }})</h2>
<table>
<caption>What was checked in {{ section.title }}</caption>
<thead><tr><th scope="col">What is checked</th><th scope="col">What came out</th>
<th scope="col" class="number">Points</th></tr></thead>
<tbody>
{% for row in section.rows %}
<tr><th scope="row">{{ row.expected }}</th>
<td><span class="{{ "written" if row.written else "good" if row.good else "bad" }}">{{ row.outcome }}</span>
{% if row.message %}
<pre dir="auto">{{ row.message }}</pre>
{% endif %}
</td><td class="number">{{ row.points }} of {{ row.possible }}</td></tr>
{% endfor %}
</tbody>
</table>
{% if section.comment %}
<p>Comment by the person who marked it:</p>
<pre dir="auto">{{ section.comment }}</pre>
{% endif %}
{% if section.lecture %}
<p>This is taught in “{{ section.lecture[0] }}”
{% if section.lecture[1].startswith("https://") %}(<a href="{{ section.lecture[1] }}">{{ section.lecture[1] }}</a>).
{% else %}({{ section.lecture[1] }}).{% endif %}</p>
{% endif %}
</section>
{% endfor %}
{% if notes %}
<section aria-labelledby="notes">
<h2 id="notes">Notes on your notebook</h2>
<p>The file that you handed in is kept as it was.</p>
<ul>
{% for note in notes %}
<li>{{ note }}</li>
{% endfor %}
</ul>
</section>
{% endif %}
{% if not fault %}
<p>This page belongs to the hand-in whose SHA-256 begins with {{ submission }}.</p>
{% endif %}
</main>
</body>
</html>
"""
)
