"""Right answers to problem set 4 in other words, and wrong ones."""

RIGHT = {
    "mix": {
        "loops": """
def mix_batches(parts, sizes, steps, seed):
    if len(parts) != len(sizes) or min(len(y) for _, y in parts) < 1:
        raise ValueError("parts and sizes")
    rng = np.random.default_rng(seed)
    left = [[] for _ in parts]
    for _ in range(steps):
        inputs, targets = [], []
        for number, (x, y) in enumerate(parts):
            for _ in range(sizes[number]):
                if not left[number]:
                    left[number] = list(range(len(x)))
                    rng.shuffle(left[number])
                row = left[number].pop()
                inputs.append(x[row])
                targets.append(y[row])
        yield np.array(inputs), np.array(targets)
""",
        "all orders first": """
def mix_batches(parts, sizes, steps, seed):
    if len(parts) != len(sizes):
        raise ValueError("parts and sizes")
    rng = np.random.default_rng(seed)
    orders = []
    for (x, _), size in zip(parts, sizes):
        if not len(x):
            raise ValueError("an empty part")
        passes = -(-steps * size // len(x))
        orders.append(np.concatenate([rng.permutation(len(x)) for _ in range(passes)])[: steps * size])
    for step in range(steps):
        rows = [order[step * size : (step + 1) * size] for order, size in zip(orders, sizes)]
        x = np.vstack([part[0][row].reshape(len(row), -1) for part, row in zip(parts, rows)])
        x = x.reshape(len(x), *np.shape(parts[0][0])[1:])
        yield x, np.concatenate([part[1][row] for part, row in zip(parts, rows)])
""",
        "a class": """
class Mix:
    def __init__(self, parts, sizes, steps, seed):
        if len(parts) != len(sizes) or any(len(part[0]) == 0 for part in parts):
            raise ValueError("parts and sizes")
        self.parts, self.sizes, self.steps = parts, sizes, steps
        self.rng = np.random.default_rng(seed)
        self.decks = [np.empty(0, dtype=int) for _ in parts]

    def hand(self, number):
        while len(self.decks[number]) < self.sizes[number]:
            fresh = self.rng.permutation(len(self.parts[number][0]))
            self.decks[number] = np.append(self.decks[number], fresh)
        rows, self.decks[number] = np.split(self.decks[number], [self.sizes[number]])
        return rows

    def __iter__(self):
        for _ in range(self.steps):
            hands = [self.hand(number) for number in range(len(self.parts))]
            yield tuple(
                np.concatenate([part[side][rows] for part, rows in zip(self.parts, hands)]) for side in (0, 1)
            )


def mix_batches(parts, sizes, steps, seed):
    return iter(Mix(parts, sizes, steps, seed))
""",
    },
    "rows": {
        "loops": """
def choose_rows(labels, per_class, held_out, seed):
    order = np.random.default_rng(seed).permutation(len(labels)).tolist()
    wanted = {int(label): per_class for label in labels}
    rows = {"labelled": [], "held_out": [], "unlabelled": []}
    for row in order:
        if wanted[int(labels[row])] > 0:
            wanted[int(labels[row])] -= 1
            rows["labelled"].append(row)
        elif len(rows["held_out"]) < held_out:
            rows["held_out"].append(row)
        else:
            rows["unlabelled"].append(row)
    if any(wanted.values()) or len(rows["held_out"]) < held_out:
        raise ValueError("too few rows")
    return {name: np.array(numbers, dtype=int) for name, numbers in rows.items()}
""",
        "choice, class by class": """
def choose_rows(labels, per_class, held_out, seed):
    rng = np.random.default_rng(seed)
    chosen = [rng.choice(np.flatnonzero(labels == label), per_class, replace=False) for label in np.unique(labels)]
    labelled = np.concatenate(chosen)
    others = np.setdiff1d(np.arange(len(labels)), labelled)
    tested = rng.choice(others, held_out, replace=False)
    return {"labelled": labelled, "held_out": tested, "unlabelled": np.setdiff1d(others, tested)}
""",
    },
    "labels": {
        "loop": """
def pseudo_labels(probabilities, threshold):
    rows, labels = [], []
    for number, row in enumerate(probabilities):
        if min(row) < 0 or abs(sum(row) - 1) > 0.001:
            raise ValueError(f"row {number} is no distribution")
        label = max(range(len(row)), key=lambda place: row[place])
        if row[label] >= threshold:
            rows.append(number)
            labels.append(label)
    return np.array(rows, dtype=int), np.array(labels, dtype=int)
""",
        "a mask": """
def pseudo_labels(probabilities, threshold):
    if (probabilities < 0).any() or not np.allclose(probabilities.sum(-1), 1, atol=1e-3):
        raise ValueError("no distributions")
    labels = np.argmax(probabilities, axis=-1)
    sure = np.take_along_axis(probabilities, labels[:, None], axis=-1)[:, 0] >= threshold
    return np.arange(len(labels))[sure], labels[sure]
""",
    },
    "combine": {
        "two lists of weights": """
def combine(labelled, pseudo, share):
    if share < 0 or share >= 1:
        raise ValueError("share")
    n, m = len(labelled[0]), len(pseudo[0])
    if m == 0:
        return np.array(labelled[0]), np.array(labelled[1]), np.ones(n)
    weights = [(1 - share) * (n + m) / n] * n + [share * (n + m) / m] * m
    return np.concatenate([labelled[0], pseudo[0]]), np.append(labelled[1], pseudo[1]), np.array(weights)
""",
        "scaled to a mean of 1": """
def combine(labelled, pseudo, share):
    if not 0 <= share < 1:
        raise ValueError("share")
    n, m = len(labelled[1]), len(pseudo[1])
    weights = np.ones(n + m)
    if m:
        weights[:n], weights[n:] = (1 - share) / n, share / m
    weights = weights / weights.mean()
    return np.vstack([labelled[0], pseudo[0]]), np.hstack([labelled[1], pseudo[1]]), weights
""",
    },
    "report": {
        "statistics": """
def report(treated, control):
    import statistics

    if len(treated) != len(control) or len(treated) == 1:
        raise ValueError("seeds")
    differences = [float(one - other) for one, other in zip(treated, control)]
    gain = statistics.mean(differences)
    error = statistics.stdev(differences) / len(differences) ** 0.5
    return dict(gain=gain, error=error, distinct=gain > 2 * error or gain < -2 * error)
""",
        "scipy": """
def report(treated, control):
    from scipy import stats

    if len(treated) != len(control) or len(treated) < 2:
        raise ValueError("seeds")
    differences = np.array(treated) - np.array(control)
    gain, error = np.mean(differences), stats.sem(differences)
    return {"gain": gain, "error": error, "distinct": np.abs(gain) > 2 * error}
""",
    },
}


def mix(
    deal="while True:\n            yield from rng.permutation(count)",
    rng="np.random.default_rng(seed)",
    hands="[[next(deck) for _ in range(size)] for deck, size in zip(decks, sizes)]",
    inputs="np.concatenate([x[hand] for (x, _), hand in zip(parts, hands)])",
    targets="np.concatenate([y[hand] for (_, y), hand in zip(parts, hands)])",
    steps="range(steps)",
    result="inputs, targets",
):
    return f"""
def mix_batches(parts, sizes, steps, seed):
    rng = {rng}

    def deal(count):
        {deal}

    decks = [deal(len(x)) for x, _ in parts]
    for _ in {steps}:
        hands = {hands}
        inputs = {inputs}
        targets = {targets}
        yield {result}
"""


def rows(
    rng="np.random.default_rng(seed)",
    order="rng.permutation(len(labels))",
    each="order[labels[order] == name][:per_class]",
    labelled="np.concatenate([{each} for name in np.unique(labels)])",
    others="order[~np.isin(order, labelled)]",
    held_out="others[:held_out]",
    unlabelled="others[held_out:]",
    refuse="np.unique(labels, return_counts=True)[1].min() < per_class or len(others) < held_out",
):
    labelled = labelled.format(each=each)
    return f"""
def choose_rows(labels, per_class, held_out, seed):
    rng = {rng}
    order = {order}
    labelled = {labelled}
    others = {others}
    if {refuse}:
        raise ValueError("too few rows")
    return {{"labelled": labelled, "held_out": {held_out}, "unlabelled": {unlabelled}}}
"""


def labels(
    refuse="np.any(p < 0) or np.any(np.abs(p.sum(axis=1) - 1) > 1e-3)",
    kept="np.flatnonzero(p.max(axis=1) >= threshold)",
    found="p[rows].argmax(axis=1)",
    result="rows, found",
):
    return f"""
def pseudo_labels(probabilities, threshold):
    p = np.asarray(probabilities)
    if {refuse}:
        raise ValueError("no distributions")
    rows = {kept}
    found = {found}
    return {result}
"""


def combine(
    refuse="not 0 <= share < 1",
    first="(1 - share) * (n + m) / n if m else 1.0",
    second="share * (n + m) / max(m, 1)",
    x="np.concatenate([labelled[0], pseudo[0]])",
    y="np.concatenate([labelled[1], pseudo[1]])",
    weights="np.repeat([first, second], [n, m])",
):
    return f"""
def combine(labelled, pseudo, share):
    if {refuse}:
        raise ValueError("share")
    n, m = len(labelled[1]), len(pseudo[1])
    first = {first}
    second = {second}
    weights = {weights}
    return {x}, {y}, weights
"""


def report(
    refuse="len(treated) != len(control) or len(treated) < 2",
    gain="differences.mean()",
    error="differences.std(ddof=1) / np.sqrt(len(differences))",
    distinct="abs(gain) > 2 * error",
):
    return f"""
def report(treated, control):
    if {refuse}:
        raise ValueError("seeds")
    treated, control = np.asarray(treated), np.asarray(control)
    differences = treated - control
    gain = {gain}
    error = {error}
    return {{"gain": float(gain), "error": float(error), "distinct": bool({distinct})}}
"""


# exercise -> name of the mistake -> (the answer, the check meant for it, what its message says)
WRONG = {
    "mix": {
        "one batch too many": (mix(steps="range(steps + 1)"), "mix_shapes", "4 steps are 4 batches"),
        "one row for each part": (
            mix(hands="[[next(deck)] for deck in decks]"),
            "mix_shapes",
            "2 rows and 3 rows",
        ),
        "inputs alone": (mix(result="inputs, inputs"), "mix_shapes", "one target for each"),
        "batch proportions ignored": (
            mix(
                hands="[rng.integers(0, len(x), size) for (x, _), size in zip(parts, rng.multinomial(sum(sizes), "
                "np.full(len(parts), 1 / len(parts))))]"
            ),
            "mix_composition",
            "3 rows of part 0",
        ),
        "all parts in one heap": (
            """
def mix_batches(parts, sizes, steps, seed):
    rng = np.random.default_rng(seed)
    inputs, targets = (np.concatenate(arrays) for arrays in zip(*parts))
    for _ in range(steps):
        chosen = rng.permutation(len(inputs))[: sum(sizes)]
        yield inputs[chosen], targets[chosen]
""",
            "mix_composition",
            "3 rows of part 0",
        ),
        "the last part first": (
            mix(
                inputs="np.concatenate([x[hand] for (x, _), hand in zip(parts, hands)][::-1])",
                targets="np.concatenate([y[hand] for (_, y), hand in zip(parts, hands)][::-1])",
            ),
            "mix_composition",
            "3 rows of part 0",
        ),
        "shuffled within the batch, inputs alone": (
            mix(inputs="rng.permutation(np.concatenate([x[hand] for (x, _), hand in zip(parts, hands)]))"),
            "mix_together",
            "shuffle row numbers",
        ),
        "targets in their own order": (
            mix(targets="np.concatenate([y[: len(hand)] for (_, y), hand in zip(parts, hands)])"),
            "mix_together",
            "shuffle row numbers",
        ),
        "drawn with replacement": (
            mix(deal="while True:\n            yield rng.integers(count)"),
            "mix_fair",
            "each once",
        ),
        "the rest of a pass thrown away": (
            mix(
                hands="[rng.permutation(len(x))[:size] if size <= len(x) else rng.integers(0, len(x), size) "
                "for (x, _), size in zip(parts, sizes)]"
            ),
            "mix_fair",
            "each once",
        ),
        "the last row never dealt": (
            mix(deal="while True:\n            yield from rng.permutation(max(1, count - 1))"),
            "mix_fair",
            "each once",
        ),
        "seed ignored": (mix(rng="np.random.default_rng()"), "mix_seed", "the same seed"),
        "one seed for all": (mix(rng="np.random.default_rng(0)"), "mix_seed", "two seeds gave the same order"),
        "never shuffled": (
            mix(deal="while True:\n            yield from range(count)"),
            "mix_seed",
            "in their own order",
        ),
        "shuffled once for all passes": (
            mix(deal="order = rng.permutation(count)\n        while True:\n            yield from order"),
            "mix_seed",
            "the order of the first",
        ),
    },
    "rows": {
        "labels leaked": (rows(unlabelled="order[~np.isin(order, labelled)]"), "rows_disjoint", "no row is in two"),
        "labelled rows tested on": (
            rows(held_out="order[:held_out]", unlabelled="order[held_out:]"),
            "rows_disjoint",
            "no row is in two",
        ),
        "rows forgotten": (rows(unlabelled="others[held_out + 1:]"), "rows_disjoint", "none is forgotten"),
        "labels for row numbers": (
            rows(labelled="np.repeat(np.unique(labels), per_class)"),
            "rows_disjoint",
            "the sets hold row numbers",
        ),
        "one too few of each class": (
            rows(each="order[labels[order] == name][: per_class - 1]"),
            "rows_sizes",
            "2 rows of each of 3 classes",
        ),
        "held_out taken as a share": (
            rows(held_out="others[: len(others) // 2]", unlabelled="others[len(others) // 2 :]"),
            "rows_sizes",
            "8 rows to test on",
        ),
        "per_class for all classes together": (
            rows(labelled="order[:per_class]"),
            "rows_sizes",
            "2 rows of each of 3 classes",
        ),
        "at random over all classes": (
            rows(labelled="order[: per_class * len(np.unique(labels))]"),
            "rows_classes",
            "3 labelled rows of each class",
        ),
        "in proportion to the classes": (
            rows(each="order[labels[order] == name][: max(1, round(3 * per_class * np.mean(labels == name)))]"),
            "rows_classes",
            "3 labelled rows of each class",
        ),
        "the first of each class": (
            rows(each="np.flatnonzero(labels == name)[:per_class]"),
            "rows_chance",
            "same labelled rows",
        ),
        "the first of the others tested on": (
            rows(others="np.setdiff1d(np.arange(len(labels)), labelled)", held_out="others[-held_out:]").replace(
                "others[held_out:]", "others[:-held_out]"
            ),
            "rows_chance",
            "at random",
        ),
        "seed ignored": (rows(rng="np.random.default_rng()"), "rows_chance", "the same seed"),
        "one seed for all": (rows(rng="np.random.default_rng(7)"), "rows_chance", "two seeds chose"),
        "too few accepted": (rows(refuse="False"), "rows_chance", "has one row"),
    },
    "labels": {
        "above the threshold": (
            labels(kept="np.flatnonzero(p.max(axis=1) > threshold)"),
            "labels_rows",
            "0.75 and 0.9 reach",
        ),
        "every row": (labels(kept="np.arange(len(p))"), "labels_rows", "0.75 and 0.9 reach"),
        "the surest first": (
            labels(kept="np.array([n for n in np.argsort(-p.max(axis=1)) if p[n].max() >= threshold], dtype=int)"),
            "labels_rows",
            "0.75 and 0.9 reach",
        ),
        "a mask for row numbers": (labels(kept="p.max(axis=1) >= threshold"), "labels_rows", "0.75 and 0.9 reach"),
        "rows of all classes": (
            labels(kept="np.unique(np.argwhere(p >= threshold / 2)[:, 0])"),
            "labels_rows",
            "do not",
        ),
        "labels of all rows": (labels(found="p.argmax(axis=1)"), "labels_classes", "rows 0, 2 and 3 are kept"),
        "the least probable": (labels(found="p[rows].argmin(axis=1)"), "labels_classes", "most probable classes"),
        "probabilities for labels": (labels(found="p[rows].max(axis=1)"), "labels_classes", "most probable classes"),
        "classes from 1": (labels(found="p[rows].argmax(axis=1) + 1"), "labels_classes", "most probable classes"),
        "columns for rows": (labels(found="p[rows].argmax(axis=0)"), "labels_classes", "most probable class"),
        "the surest one at least": (
            labels(kept="np.flatnonzero(p.max(axis=1) >= min(threshold, p.max()))"),
            "labels_none",
            "an empty array",
        ),
        "None for nothing": (
            labels(result="(rows, found) if len(rows) else (None, None)"),
            "labels_none",
            "an empty array",
        ),
        "logits accepted": (labels(refuse="False"), "labels_refused", "a softmax is missing"),
        "rounding refused": (
            labels(refuse="np.any(p < 0) or np.any(p.sum(axis=1) != 1)"),
            "labels_refused",
            "rounding is no reason",
        ),
        "sum alone looked at": (
            labels(refuse="np.any(np.abs(p.sum(axis=1) - 1) > 1e-3)"),
            "labels_refused",
            "a negative number",
        ),
    },
    "combine": {
        "pseudo-labelled rows first": (
            combine(x="np.concatenate([pseudo[0], labelled[0]])", y="np.concatenate([pseudo[1], labelled[1]])"),
            "combine_rows",
            "two labelled rows, then",
        ),
        "labels in another order": (
            combine(y="np.concatenate([pseudo[1], labelled[1]])"),
            "combine_rows",
            "the order of their rows",
        ),
        "sorted by label": (
            combine(y="np.sort(np.concatenate([labelled[1], pseudo[1]]))[::-1]"),
            "combine_rows",
            "the order of their rows",
        ),
        "labelled rows alone": (combine(x="labelled[0]", y="labelled[1]"), "combine_rows", "then the pseudo-labelled"),
        "the share as a weight": (combine(first="1 - share", second="share"), "combine_share", "a quarter"),
        "the share to the labelled": (
            combine(first="share * (n + m) / n if m else 1.0", second="(1 - share) * (n + m) / max(m, 1)"),
            "combine_share",
            "a quarter",
        ),
        "equal weights": (combine(first="1.0", second="1.0"), "combine_share", "a quarter"),
        "pseudo-labelled rows weigh the share each": (
            combine(first="1.0", second="share"),
            "combine_share",
            "a quarter",
        ),
        "counts exchanged": (
            combine(first="(1 - share) * (n + m) / max(m, 1) if m else 1.0", second="share * (n + m) / n"),
            "combine_share",
            "a quarter",
        ),
        "weights sum to 1": (
            combine(first="(1 - share) / n if m else 1.0", second="share / max(m, 1)"),
            "combine_mean",
            "the mean weight is 1",
        ),
        "labelled rows at 1": (
            combine(first="1.0", second="share / (1 - share) * n / max(m, 1)"),
            "combine_mean",
            "the mean weight is 1",
        ),
        "divided by no rows": (
            combine(second="share * (n + m) / m"),
            "combine_edges",
            "failed with 0 pseudo-labelled rows",
        ),
        "the share kept free": (
            combine(first="(1 - share) * (n + m) / n"),
            "combine_edges",
            "nothing to share with",
        ),
        "a share of 1 accepted": (combine(refuse="not 0 <= share <= 1"), "combine_edges", "refuse it"),
        "every share accepted": (combine(refuse="False"), "combine_edges", "refuse it"),
    },
    "report": {
        "control minus treated": (report(gain="-differences.mean()"), "report_gain", "0, 0.03 and 0.03"),
        "the sum": (report(gain="differences.sum()"), "report_gain", "0, 0.03 and 0.03"),
        "the median": (report(gain="np.median(differences)"), "report_gain", "0, 0.03 and 0.03"),
        "the best seed": (report(gain="treated.max() - control.max()"), "report_gain", "treated minus control"),
        "relative": (report(gain="np.mean(differences / control)"), "report_gain", "0, 0.03 and 0.03"),
        "divided by n": (
            report(error="differences.std() / np.sqrt(len(differences))"),
            "report_error",
            "0.08",
        ),
        "the standard deviation": (report(error="differences.std(ddof=1)"), "report_error", "0.08"),
        "divided by n, not by its root": (
            report(error="differences.std(ddof=1) / len(differences)"),
            "report_error",
            "0.08",
        ),
        "the variance": (report(error="differences.var(ddof=1) / len(differences)"), "report_error", "0.08"),
        "two independent series": (
            report(error="np.sqrt((treated.var(ddof=1) + control.var(ddof=1)) / len(treated))"),
            "report_paired",
            "take the differences first",
        ),
        "spread of the treated alone": (
            report(error="treated.std(ddof=1) / np.sqrt(len(treated))"),
            "report_paired",
            "take the differences first",
        ),
        "one error is enough": (report(distinct="abs(gain) > error"), "report_distinct", "two standard errors"),
        "any gain counts": (report(distinct="gain > 0"), "report_distinct", "0.017"),
        "gains alone": (report(distinct="gain > 2 * error"), "report_distinct", "a loss of 0.03"),
        "the other way round": (report(distinct="abs(gain) < 2 * error"), "report_distinct", "0.03 ± 0.006"),
        "one seed accepted": (
            report(refuse="len(treated) != len(control)"),
            "report_distinct",
            "one seed has no spread",
        ),
        "the longer series cut": (
            report(refuse="min(len(treated), len(control)) < 2").replace(
                "np.asarray(treated), np.asarray(control)",
                "(np.asarray(row)[: min(len(treated), len(control))] for row in (treated, control))",
            ),
            "report_distinct",
            "cannot be paired",
        ),
    },
}
