"""Right answers to problem set 5 in other words, and wrong ones."""

RIGHT = {
    "read": {
        "positions of the columns": """
def read_rows(path):
    wanted = ["work", "author", "text"]
    with open(path, "rb") as file:
        content = file.read()
    try:
        content = content.decode("utf-8")
    except UnicodeError:
        raise ValueError("this is no UTF-8") from None
    lines = [line for line in csv.reader(io.StringIO(content.lstrip(chr(0xFEFF)), newline="")) if line]
    missing = [name for name in wanted if name not in lines[0]]
    if missing:
        raise ValueError("missing: " + ", ".join(missing))
    places = [lines[0].index(name) for name in wanted]
    rows = []
    for number in range(1, len(lines)):
        fields = [lines[number][place] if place < len(lines[number]) else "" for place in places]
        for name, field in zip(wanted, fields):
            if field.isspace() or field == "":
                raise ValueError(f"{name} of row {number}")
        rows.append(dict(zip(wanted, fields)))
    if len(set(row["author"] for row in rows)) == 1:
        raise ValueError("all by " + rows[0]["author"])
    return rows
""",
        "a file that is open": """
def read_rows(path):
    rows = []
    with open(path, encoding="utf-8-sig", newline="") as file:  # a UnicodeDecodeError is a ValueError
        for line in csv.DictReader(file):
            row = {}
            for name in ("author", "text", "work"):
                if name not in line:
                    raise ValueError(f"{name}: there is no such column")
                if not (line[name] or "").strip():
                    raise ValueError(f"{name}: nothing in row {len(rows) + 1}")
                row[name] = line[name]
            rows.append(row)
    if all(row["author"] == rows[0]["author"] for row in rows):
        raise ValueError(f"nobody but {rows[0]['author']}")
    return rows
""",
    },
    "split": {
        "loops": """
def split_by_work(rows, share, seed):
    if share <= 0 or share >= 1:
        raise ValueError("share")
    rng = np.random.default_rng(seed)
    held_out = []
    for author in sorted({row["author"] for row in rows}):
        own = [number for number, row in enumerate(rows) if row["author"] == author]
        works = sorted({rows[number]["work"] for number in own})
        rng.shuffle(works)
        chosen = []
        while len(works) > 1 and len(chosen) < share * len(own):
            work = works.pop()
            chosen += [number for number in own if rows[number]["work"] == work]
        held_out += chosen
    return [number for number in range(len(rows)) if number not in held_out], held_out
""",
        "arrays": """
def split_by_work(rows, share, seed):
    if not 0 < share < 1:
        raise ValueError("share")
    rng = np.random.default_rng(seed)
    authors = np.array([row["author"] for row in rows])
    works = np.array([row["work"] for row in rows])
    outside = np.zeros(len(rows), dtype=bool)
    for author in np.unique(authors):
        titles, sizes = np.unique(works[authors == author], return_counts=True)
        order = rng.permutation(len(titles))
        before = np.cumsum(sizes[order]) - sizes[order]
        chosen = order[before < share * sizes.sum()][: len(titles) - 1]
        outside |= (authors == author) & np.isin(works, titles[chosen])
    return np.flatnonzero(~outside), np.flatnonzero(outside)
""",
    },
    "tables": {
        "a dict of counts": """
def make_tables(rows, train, size):
    if size <= 2:
        raise ValueError("size")
    counts, authors = {}, []
    for number in train:
        for word in words(rows[number]["text"]):
            counts[word] = counts.get(word, 0) + 1
        if rows[number]["author"] not in authors:
            authors.append(rows[number]["author"])
    index = {}
    for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if len(index) == size - 2:
            break
        index[word] = len(index) + 2
    authors.sort()
    return index, authors
""",
        "sorted twice": """
def make_tables(rows, train, size):
    if size < 3:
        raise ValueError("size")
    counts = Counter(words(" ".join(rows[number]["text"] for number in train)))
    ranked = sorted(sorted(counts), key=counts.get, reverse=True)[: size - 2]
    return dict(zip(ranked, range(2, size))), np.unique([rows[number]["author"] for number in train]).tolist()
""",
    },
    "encode": {
        "loops": """
def encode_texts(texts, index, length):
    rows = np.zeros((len(texts), length), dtype="int64")
    for number, text in enumerate(texts):
        for place, word in enumerate(words(text)):
            if place < length:
                rows[number, place] = index[word] if word in index else 1
    return rows
""",
        "lists": """
def encode_texts(texts, index, length):
    rows = []
    for text in texts:
        ids = [index.get(word, 1) for word in words(text)][:length]
        rows.append(ids + [0] * (length - len(ids)))
    return np.array(rows, dtype=int).reshape(len(texts), length)
""",
    },
    "model": {
        "sequential, a GRU": """
def build_model(size, authors):
    model = keras.Sequential()
    model.add(keras.Input((None,), dtype="int32"))
    model.add(keras.layers.Embedding(size, 16, mask_zero=True))
    model.add(keras.layers.GRU(24))
    model.add(keras.layers.Dense(authors))
    model.add(keras.layers.Activation("softmax"))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
""",
        "functional, the mean by hand": """
def build_model(size, authors):
    ids = keras.Input((None,), dtype="int32")
    vectors = keras.layers.Embedding(size, 24)(ids)
    real = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(ids, 0), "float32"), -1)
    mean = keras.ops.sum(vectors * real, axis=1) / keras.ops.maximum(keras.ops.sum(real, axis=1), 1.0)
    scores = keras.layers.Dense(authors)(mean)
    model = keras.Model(ids, keras.layers.Softmax()(scores))
    loss = keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-2), loss=loss, metrics=["accuracy"])
    return model
""",
    },
    "predict": {
        "one text after the other": """
def predict_authors(classifier, texts):
    answers = []
    for text in texts:
        if len(words(text)) == 0:
            raise ValueError("no word")
        row = encode_texts([text], classifier["index"], classifier["length"])
        shares = np.ravel(classifier["model"](row)).tolist()
        answers.append((classifier["authors"][shares.index(max(shares))], max(shares)))
    return answers
""",
        "sorted pairs": """
def predict_authors(classifier, texts):
    if any(not words(text) for text in texts):
        raise ValueError("a text without a word")
    if len(texts) == 0:
        return []
    rows = encode_texts(texts, classifier["index"], classifier["length"])
    table = np.asarray(classifier["model"].predict_on_batch(rows))
    pairs = [sorted(zip(row.tolist(), classifier["authors"]))[-1] for row in table]
    return [(name, share) for share, name in pairs]
""",
    },
    "train": {
        "evaluate": """
def train_classifier(path, size, length, epochs, seed):
    keras.utils.set_random_seed(seed)
    rows = read_rows(path)
    parts = split_by_work(rows, 0.25, seed)
    index, authors = make_tables(rows, parts[0], size)
    numbers = {name: place for place, name in enumerate(authors)}
    x, y = [], []
    for part in parts:
        x.append(encode_texts([rows[n]["text"] for n in part], index, length))
        y.append(np.array([numbers[rows[n]["author"]] for n in part]))
    model = build_model(len(index) + 2, len(authors))
    model.fit(x[0], y[0], batch_size=32, epochs=epochs, verbose=0)
    accuracy = model.evaluate(x[1], y[1], verbose=0, return_dict=True)["accuracy"]
    return dict(model=model, index=index, authors=authors, length=length, accuracy=accuracy)
""",
        "everything encoded once": """
def train_classifier(path, size, length, epochs, seed):
    keras.utils.set_random_seed(seed)
    rows = read_rows(path)
    train, held_out = map(np.array, split_by_work(rows, 0.25, seed))
    index, authors = make_tables(rows, train, size)
    ids = encode_texts([row["text"] for row in rows], index, length)
    targets = np.searchsorted(authors, [row["author"] for row in rows])
    model = build_model(size, len(authors))
    for _ in range(epochs):
        model.fit(ids[train], targets[train], batch_size=32, verbose=0)
    named = np.argmax(model.predict(ids[held_out], verbose=0), axis=1)
    accuracy = np.mean(named == targets[held_out])
    return {"accuracy": accuracy, "model": model, "index": index, "authors": authors, "length": length}
""",
    },
}


def read(
    content='pathlib.Path(path).read_bytes().decode("utf-8-sig")',
    reader='csv.DictReader(io.StringIO(content, newline=""))',
    missing="column not in (reader.fieldnames or [])",
    rows='[{column: row[column] or "" for column in columns} for row in reader]',
    start="1",
    empty="not row[column].strip()",
    alone="len({row['author'] for row in rows}) < 2",
):
    return f"""
def read_rows(path):
    columns = ("work", "author", "text")
    content = {content}
    reader = {reader}
    for column in columns:
        if {missing}:
            raise ValueError(f"there is no column {{column}}")
    rows = {rows}
    for number, row in enumerate(rows, {start}):
        for column in columns:
            if {empty}:
                raise ValueError(f"row {{number}} has an empty {{column}}")
    if {alone}:
        raise ValueError(f"one author: {{rows[0]['author']}}")
    return rows
"""


def split(
    refuse="not 0 < share < 1",
    rng="np.random.default_rng(seed)",
    work='row["work"]',
    order="rng.permutation(len(groups))",
    wanted="share * sum(map(len, groups))",
    places="order[:-1]",
    enough="count >= wanted",
    train="[number for number in range(len(rows)) if number not in held]",
):
    return f"""
def split_by_work(rows, share, seed):
    if {refuse}:
        raise ValueError("share")
    rng = {rng}
    works = {{}}
    for number, row in enumerate(rows):
        works.setdefault(row["author"], {{}}).setdefault({work}, []).append(number)
    held = []
    for own in works.values():
        groups = list(own.values())
        order = {order}
        wanted = {wanted}
        count = 0
        for place in {places}:
            if {enough}:
                break
            held += groups[place]
            count += len(groups[place])
    return {train}, held
"""


def tables(
    refuse="size < 3",
    source="[rows[number] for number in train]",
    pieces="words(row['text'])",
    key="(-counts[word], word)",
    kept="[: size - 2]",
    first="2",
    extra="",
    authors="sorted({rows[number]['author'] for number in train})",
):
    return f"""
def make_tables(rows, train, size):
    if {refuse}:
        raise ValueError("size")
    counts = Counter(word for row in {source} for word in {pieces})
    {extra}
    ranked = sorted(counts, key=lambda word: {key}){kept}
    return {{word: place for place, word in enumerate(ranked, {first})}}, {authors}
"""


def encode(
    pieces="words(text)",
    ids="[index.get(word, 1) for word in found]",
    padding="post",
    truncating="post",
    result="rows",
):
    return f"""
def encode_texts(texts, index, length):
    table = []
    for text in texts:
        found = {pieces}
        table.append({ids})
    rows = pad_sequences(table, maxlen=length, padding="{padding}", truncating="{truncating}")
    return {result}
"""


def model(
    start="keras.Input((None,), dtype='int32')",
    embedding="keras.layers.Embedding(size, 32, mask_zero=True)",
    middle="keras.layers.GlobalAveragePooling1D()",
    last="keras.layers.Dense(authors, activation='softmax')",
    optimizer="keras.optimizers.Adam(0.01)",
    loss="'sparse_categorical_crossentropy'",
    metrics="['accuracy']",
):
    return f"""
def build_model(size, authors):
    model = keras.Sequential([{start}, {embedding}, {middle}, {last}])
    model.compile({optimizer}, loss={loss}, metrics={metrics})
    return model
"""


def predict(
    refuse="not all(words(text) for text in texts)",
    empty="not texts",
    rows="encode_texts(texts, classifier['index'], classifier['length'])",
    best="table.argmax(axis=1)",
    names="[classifier['authors'][place] for place in best]",
    shares="table.max(axis=1)",
    result="list(zip(names, shares.tolist()))",
):
    return f"""
def predict_authors(classifier, texts):
    if {refuse}:
        raise ValueError("a text without a word")
    if {empty}:
        return []
    rows = {rows}
    table = classifier["model"].predict(rows, verbose=0)
    best = {best}
    names = {names}
    shares = {shares}
    return {result}
"""


def train(
    split="split_by_work(rows, 0.25, seed)",
    tables="make_tables(rows, train, size)",
    fitted="train",
    ids="encode_texts([rows[n]['text'] for n in fitted], index, length)",
    targets="np.array([authors.index(rows[n]['author']) for n in fitted])",
    fit="model.fit(ids, targets, batch_size=32, epochs=epochs, verbose=0)",
    tested="held_out",
    accuracy="np.mean([name == rows[n]['author'] for (name, _), n in zip(answers, tested)])",
    result="{**classifier, 'accuracy': accuracy}",
):
    return f"""
def train_classifier(path, size, length, epochs, seed):
    keras.utils.set_random_seed(seed)
    rows = read_rows(path)
    train, held_out = {split}
    index, authors = {tables}
    fitted, tested = {fitted}, {tested}
    ids = {ids}
    targets = {targets}
    model = build_model(size, len(authors))
    {fit}
    classifier = {{"model": model, "index": index, "authors": authors, "length": length}}
    answers = predict_authors(classifier, [rows[n]["text"] for n in tested])
    accuracy = {accuracy}
    return {result}
"""


# exercise -> name of the mistake -> (the answer, the check meant for it, what its message says)
WRONG = {
    "read": {
        "str.split": (
            read(
                rows="[dict(zip(reader.fieldnames, (line + ',,').split(','))) for line in content.splitlines()[1:]]",
                empty="False",
            ),
            "read_fields",
            "the module csv",
        ),
        "tuples for dicts": (
            read(rows="[tuple(row[column] for column in columns) for row in reader]", empty="False", alone="False"),
            "read_fields",
            "expected a list of dicts",
        ),
        "keys in capitals": (
            read().replace(
                "return rows", "return [{key.upper(): field for key, field in row.items()} for row in rows]"
            ),
            "read_fields",
            "expected 'Odes' at [0][0], got None",
        ),
        "lines first": (
            read(reader="csv.DictReader(content.splitlines())", empty="False"),
            "read_fields",
            "the module csv",
        ),
        "fields stripped": (
            read(rows='[{column: (row[column] or "").strip() for column in columns} for row in reader]'),
            "read_fields",
            "no field changed",
        ),
        "quotation marks dropped": (
            read(rows="[{column: row[column].replace('\"', '') for column in columns} for row in reader]"),
            "read_fields",
            "three rows",
        ),
        "empty lines as rows": (
            read(rows="[dict(zip(columns, line)) for line in csv.reader(io.StringIO(content))][1:]", missing="False"),
            "read_fields",
            "stopped with KeyError ('work'): work, author and text of three rows",
        ),
        "the names as a row": (
            read(reader='csv.DictReader(io.StringIO(content, newline=""), fieldnames=content.split()[0].split(","))'),
            "read_columns",
            "two rows with the keys",
        ),
        "columns by their places": (
            read(
                missing="False",
                rows="[dict(zip(columns, line)) for line in csv.reader(io.StringIO(content))][1:]",
                alone="False",
            ),
            "read_columns",
            "look columns up by name",
        ),
        "all columns kept": (read(rows="[dict(row) for row in reader]"), "read_columns", "drop all others"),
        "Latin-1": (
            read(content='pathlib.Path(path).read_bytes().decode("latin-1")'),
            "read_encoding",
            "open the file as UTF-8",
        ),
        "the byte order mark left in": (
            read(content='pathlib.Path(path).read_bytes().decode("utf-8")'),
            "read_encoding",
            "a byte order mark stands in front",
        ),
        "wrong bytes replaced": (
            read(content='pathlib.Path(path).read_bytes().decode("utf-8-sig", errors="replace")'),
            "read_encoding",
            "the file is Latin-1",
        ),
        "ASCII": (
            read(content='pathlib.Path(path).read_bytes().decode("ascii", errors="ignore")'),
            "read_encoding",
            "é is one letter",
        ),
        "a KeyError for a missing column": (read(missing="False"), "read_refused", "expected ValueError, got KeyError"),
        "empty texts accepted": (read(empty="False"), "read_refused", "row 3 has an empty text"),
        "white space accepted": (read(empty="not row[column]"), "read_refused", "row 3 has an empty text"),
        "rows with an empty field dropped": (
            read(rows="[{column: row[column] for column in columns} for row in reader if row['text'].strip()]"),
            "read_refused",
            "row 3 has an empty text",
        ),
        "rows counted from 0": (read(start="0"), "read_refused", "'3' in its message"),
        "the names counted as a row": (read(start="2"), "read_refused", "'3' in its message"),
        "one author accepted": (read(alone="False"), "read_refused", "all rows are by Ann"),
    },
    "split": {
        "all rows trained on": (split(train="list(range(len(rows)))"), "split_rows", "each once"),
        "a row forgotten": (
            split(train="[number for number in range(1, len(rows)) if number not in held]"),
            "split_rows",
            "each once",
        ),
        "rows counted from 1": (
            split(train="[n + 1 for n in range(len(rows)) if n not in held]"),
            "split_rows",
            "by their numbers from 0 on",
        ),
        "a percentage accepted": (split(refuse="False"), "split_rows", "25 is no share"),
        "one list": (split(train="held #"), "split_rows", "expected two lists of row numbers, got one list"),
        "the rows themselves": (
            split(train="[row for number, row in enumerate(rows) if number not in held]"),
            "split_authors",
            "expected row numbers from 0 to 17, got {'author': 'Ann'",
        ),
        "by line": (split(work="number"), "split_works", "hold out works, not rows"),
        "any rows": (
            """
def split_by_work(rows, share, seed):
    order = np.random.default_rng(seed).permutation(len(rows)).tolist()
    count = int(share * len(rows))
    return order[count:], order[:count]
""",
            "split_works",
            "hold out works, not rows",
        ),
        "cut within a work": (
            """
def split_by_work(rows, share, seed):
    order = sorted(range(len(rows)), key=lambda number: (rows[number]["work"], number))
    count = round(len(rows) * (1 - share))
    return order[:count], order[count:]
""",
            "split_works",
            "hold out works, not rows",
        ),
        "nothing held out": (split(places="[]"), "split_works", "number of rows that are held out"),
        "titles without their authors": (
            """
def split_by_work(rows, share, seed):
    titles = sorted({row["work"] for row in rows})
    order = np.random.default_rng(seed).permutation(titles).tolist()
    held = []
    for title in order[:-1]:
        if len(held) < share * len(rows):
            held += [number for number, row in enumerate(rows) if row["work"] == title]
    return [number for number in range(len(rows)) if number not in held], held
""",
            "split_authors",
            "Ann",
        ),
        "a single work held out": (split(places="order"), "split_authors", "also with a single work"),
        "authors of a single work left out": (
            split(train="[n for n, row in enumerate(rows) if n not in held and len(works[row['author']]) > 1]"),
            "split_authors",
            "also with a single work",
        ),
        "whole authors held out": (
            """
def split_by_work(rows, share, seed):
    names = sorted({row["author"] for row in rows})
    order = np.random.default_rng(seed).permutation(names)[: max(1, round(share * len(names)))].tolist()
    held = [number for number, row in enumerate(rows) if row["author"] in order]
    return [number for number in range(len(rows)) if number not in held], held
""",
            "split_authors",
            "also with a single work",
        ),
        "one work of each": (split(enough="count"), "split_share", "needs 2 of each author"),
        "rounded down": (split(places="order[: int(share * len(groups))]"), "split_share", "needs 1 of each author"),
        "one work too many": (split(enough="count > wanted"), "split_share", "needs 2 of each author"),
        "a share of all rows": (split(wanted="share * len(rows)"), "split_share", "needs 2 of each author"),
        "seed ignored": (split(rng="np.random.default_rng()"), "split_seed", "the same seed gave two splits"),
        "one seed for all": (split(rng="np.random.default_rng(0)"), "split_seed", "ten seeds gave one split"),
        "the first works": (split(order="list(range(len(groups)))"), "split_seed", "ten seeds gave one split"),
    },
    "tables": {
        "ids from 1": (tables(first="1", kept="[: size - 1]"), "tables_index", "the comes three times"),
        "str.split": (tables(pieces="row['text'].split()"), "tables_index", "cut the texts with `words`"),
        "the alphabet alone": (tables(key="word"), "tables_index", "the comes three times"),
        "rare words first": (tables(key="(counts[word], word)"), "tables_index", "the comes three times"),
        "texts counted, not words": (tables(pieces="set(words(row['text']))"), "tables_index", "the comes three times"),
        "ties as they come": (tables(key="-counts[word]"), "tables_index", "then by the alphabet"),
        "one table": (
            tables(authors="0").replace("}, 0\n", "}\n"),
            "tables_training",
            "expected a dict of words and a list of authors, got one dict",
        ),
        "words of all rows": (tables(source="rows"), "tables_training", "row 2 is held out"),
        "counted over all rows": (
            tables(
                source="rows",
                extra="known = {word for n in train for word in words(rows[n]['text'])}; "
                "counts = {word: count for word, count in counts.items() if word in known}",
            ),
            "tables_training",
            "row 2 is held out",
        ),
        "the first rows, whatever is trained on": (
            tables(source="rows[: len(train)]", authors="sorted({row['author'] for row in rows})"),
            "tables_training",
            "Cy is the author",
        ),
        "authors of all rows": (
            tables(authors="sorted({row['author'] for row in rows})"),
            "tables_training",
            "Cy is the author of a held-out row",
        ),
        "authors as they come": (
            tables(authors="list(dict.fromkeys(rows[n]['author'] for n in train))"),
            "tables_authors",
            "four authors, sorted",
        ),
        "a name for each row": (
            tables(authors="sorted(rows[n]['author'] for n in train)"),
            "tables_authors",
            "four authors, sorted",
        ),
        "the most frequent author first": (
            tables(authors="[name for name, _ in Counter(rows[n]['author'] for n in train).most_common()]"),
            "tables_authors",
            "four authors, sorted",
        ),
        "reserved ids not counted": (tables(kept="[:size]"), "tables_size", "two words get one"),
        "one word too few": (tables(kept="[: size - 3]"), "tables_size", "two words get one"),
        "no size": (tables(kept=""), "tables_size", "two words get one"),
        "a size without room accepted": (tables(refuse="False"), "tables_size", "no room for a word"),
    },
    "encode": {
        "zeros in front": (encode(padding="pre"), "encode_rows", "zeros stand behind"),
        "the end kept": (encode(truncating="pre"), "encode_rows", "the beginning is kept"),
        "str.split": (encode(pieces="text.split()"), "encode_rows", "zeros stand behind"),
        "characters cut": (encode(pieces="words(text[:length])"), "encode_rows", "`words` cuts"),
        "rows of their own length": (
            """
def encode_texts(texts, index, length):
    return np.array([[index.get(word, 1) for word in words(text)] for text in texts])
""",
            "encode_rows",
            "zeros stand behind",
        ),
        "sorted": (encode(ids="sorted(index.get(word, 1) for word in found)"), "encode_rows", ""),
        "numbers with a point": (encode(result="rows.astype('float32')"), "encode_rows", "ids are whole numbers"),
        "unknown words as padding": (
            encode(ids="[index.get(word, 0) for word in found]"),
            "encode_unknown",
            "each of them becomes 1",
        ),
        "unknown words left out": (
            encode(ids="[index[word] for word in found if word in index]"),
            "encode_unknown",
            "each of them becomes 1",
        ),
        "unknown words as 2": (
            encode(ids="[index.get(word, 2) for word in found]"),
            "encode_unknown",
            "each of them becomes 1",
        ),
        "unknown words looked up": (
            encode(ids="[index[word] for word in found]"),
            "encode_unknown",
            "stopped with KeyError ('old'): old and ash are unknown",
        ),
        "an index that grows": (
            encode(ids="[index.setdefault(word, len(index) + 2) for word in found]"),
            "encode_unknown",
            "each of them becomes 1",
        ),
        "nothing becomes unknown": (
            encode(ids="[index.get(word, 1) for word in found] or [1]"),
            "encode_edges",
            "zeros alone",
        ),
        "texts without a word dropped": (
            encode(result="rows[rows.any(axis=1)]"),
            "encode_edges",
            "zeros alone",
        ),
        "no text stops it": (
            encode(result="np.stack(list(rows))"),
            "encode_edges",
            "failed without a text (ValueError)",
        ),
        "no text, no columns": (encode(result="np.array(rows.tolist())"), "encode_edges", "no row of 3 ids"),
    },
    "model": {
        "logits": (
            model(
                last="keras.layers.Dense(authors)",
                loss="keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
            ),
            "model_output",
            "does the last layer have a softmax?",
        ),
        "no softmax": (model(last="keras.layers.Dense(authors)"), "model_output", "have a softmax"),
        "a sigmoid": (model(last="keras.layers.Dense(authors, activation='sigmoid')"), "model_output", "sums to 1"),
        "one number": (
            model(last="keras.layers.Dense(1, activation='sigmoid')"),
            "model_output",
            "one row of probabilities",
        ),
        "one length alone": (
            model(start="keras.Input((5,), dtype='int32')", middle="keras.layers.Flatten()"),
            "model_output",
            "is the time of the input open",
        ),
        "a row for each word": (
            model(middle="keras.layers.LSTM(8, return_sequences=True)"),
            "model_output",
            "one row of probabilities",
        ),
        "no mask": (model(embedding="keras.layers.Embedding(size, 32)"), "model_padding", "is mask_zero=True?"),
        "an LSTM without a mask": (
            model(embedding="keras.layers.Embedding(size, 16)", middle="keras.layers.LSTM(16)"),
            "model_padding",
            "is mask_zero=True?",
        ),
        "nothing read": (
            model(
                middle="keras.layers.GlobalAveragePooling1D(), keras.layers.Lambda(lambda x: 0 * x)",
            ),
            "model_padding",
            "does the network read the row?",
        ),
        "squares": (model(loss="'mean_squared_error'"), "model_loss", "no loss comes from author numbers"),
        "the sum of the losses": (
            model(loss="keras.losses.SparseCategoricalCrossentropy(reduction='sum')"),
            "model_loss",
            "with the mean over the rows",
        ),
        "targets as rows": (
            model(loss="'categorical_crossentropy'"),
            "model_loss",
            "no loss comes from author numbers",
        ),
        "no accuracy": (model(metrics="None"), "model_loss", "compile with metrics"),
        "a small learning rate": (
            model(optimizer="keras.optimizers.Adam(0.0001)"),
            "model_learns",
            "its learning rate 0.01",
        ),
        "plain gradient descent": (
            model(optimizer="keras.optimizers.SGD(0.01)"),
            "model_learns",
            "is the optimizer Adam",
        ),
        "two softmaxes": (
            model(last="keras.layers.Dense(authors, activation='softmax'), keras.layers.Softmax()"),
            "model_learns",
            "exactly one softmax",
        ),
    },
    "predict": {
        "sorted by name": (predict(result="sorted(zip(names, shares.tolist()))"), "predict_names", "in their order"),
        "the surest first": (
            predict(result="sorted(zip(names, shares.tolist()), key=lambda pair: -pair[1])"),
            "predict_names",
            "in their order",
        ),
        "another order back": (predict(result="list(zip(names, shares.tolist()))[::-1]"), "predict_names", "order"),
        "numbers for names": (predict(names="best.tolist()"), "predict_names", "one name for each text"),
        "the least probable": (predict(best="table.argmin(axis=1)"), "predict_names", "one name for each text"),
        "one author for all": (
            predict(best="np.full(len(table), np.bincount(table.argmax(axis=1)).argmax())"),
            "predict_names",
            "one name for each text",
        ),
        "names alone": (
            predict(result="names"),
            "predict_names",
            "expected a list of pairs, a name and its probability",
        ),
        "names of the example": (
            predict(names="(['Ann', 'Zoe', 'Ben', 'Zoe'] * len(texts))[: len(texts)]"),
            "predict_names",
            "the right name for each",
        ),
        "the first author's probability": (predict(shares="table[:, 0]"), "predict_probability", "that is named"),
        "percent": (predict(shares="100 * table.max(axis=1)"), "predict_probability", "that is named"),
        "a softmax of probabilities": (
            predict(shares="(np.exp(table) / np.exp(table).sum(axis=1, keepdims=True)).max(axis=1)"),
            "predict_probability",
            "that is named",
        ),
        "unknown words as padding": (
            predict(rows="(lambda ids: ids * (ids > 1))(encode_texts(texts, classifier['index'], 99))"),
            "predict_unknown",
            "",
        ),
        "whole texts": (
            predict(rows="encode_texts(texts, classifier['index'], max(map(len, texts)))"),
            "predict_unknown",
            "a row has 4 ids",
        ),
        "the end read": (
            predict(
                rows="pad_sequences([[classifier['index'].get(word, 1) for word in words(text)] for text in texts], "
                "maxlen=classifier['length'])"
            ),
            "predict_unknown",
            "a row has 4 ids",
        ),
        "no text fails": (predict(empty="False"), "predict_edges", "return an empty list"),
        "one text without brackets": (
            predict(result="list(zip(names, shares.tolist())) if len(names) > 1 else (names[0], float(shares[0]))"),
            "predict_edges",
            "expected a list of pairs",
        ),
        "a text without a word accepted": (predict(refuse="False"), "predict_edges", "holds no word: refuse it"),
    },
    "train": {
        "words of all rows": (
            train(tables="make_tables(rows, range(len(rows)), size)"),
            "train_tables",
            "which rows make the tables?",
        ),
        "split by line": (
            train(
                split="(lambda order: (order[len(rows) // 4 :], order[: len(rows) // 4]))"
                "(np.random.default_rng(seed).permutation(len(rows)).tolist())"
            ),
            "train_tables",
            "which rows make the tables?",
        ),
        "half of the works held out": (
            train(split="split_by_work(rows, 0.5, seed)"),
            "train_tables",
            "1 of the 4 works",
        ),
        "the two parts exchanged": (
            train(split="split_by_work(rows, 0.25, seed)[::-1]"),
            "train_tables",
            "1 of the 4 works",
        ),
        "targets of another order": (
            train(targets="np.array([authors[::-1].index(rows[n]['author']) for n in fitted])"),
            "train_unseen",
            "its author's place",
        ),
        "targets as they come": (
            train(
                targets="np.array([list(dict.fromkeys(rows[m]['author'] for m in fitted)).index(rows[n]['author']) "
                "for n in fitted])"
            ),
            "train_unseen",
            "its author's place",
        ),
        "not trained": (train(fit="pass"), "train_unseen", "named right"),
        "inputs shuffled alone": (
            train(fit="model.fit(np.random.permutation(ids), targets, batch_size=32, epochs=epochs, verbose=0)"),
            "train_unseen",
            "named right",
        ),
        "always the commonest": (
            train(
                targets="np.full(len(fitted), np.bincount([authors.index(rows[n]['author']) for n in fitted]).argmax())"
            ),
            "train_unseen",
            "named right",
        ),
        "measured on the training rows": (train(tested="train"), "train_accuracy", "is it the training rows"),
        "measured on all rows": (train(tested="range(len(rows))"), "train_accuracy", "is it the training rows"),
        "trained on all rows": (train(fitted="range(len(rows))"), "train_accuracy", "is it the training rows"),
        "percent": (train(result="{**classifier, 'accuracy': 100 * accuracy}"), "train_accuracy", "not a percentage"),
        "the number of right answers": (
            train(result="{**classifier, 'accuracy': accuracy * len(tested)}"),
            "train_accuracy",
            "not a percentage",
        ),
        "no accuracy": (train(result="classifier"), "train_accuracy", "got no accuracy"),
        "a tuple": (train(result="tuple(classifier.values())"), "train_tables", "expected a dict"),
    },
}
