"""Right answers to problem set 1 in other words, and wrong ones."""

RIGHT = {
    "index": {
        "loops": """
def build_index(texts, size):
    if size <= 3:
        raise ValueError("no room for a word")
    counts = {}
    for text in texts:
        for word in words(text):
            counts[word] = counts.get(word, 0) + 1
    index = {}
    for word, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        if len(index) + 3 < size:
            index[word] = len(index) + 3
    return index
""",
        "sorted first, then the most common": """
def build_index(texts, size):
    if size < 4:
        raise ValueError(f"size {size}")
    every = sorted(word for text in texts for word in words(text))
    common = Counter(every).most_common(size - 3)  # keeps the order of first appearance among equals
    return dict(zip((word for word, _ in common), range(3, size)))
""",
        "numpy": """
def build_index(texts, size):
    if size < 4:
        raise ValueError("size")
    found, counts = np.unique(words(" ".join(texts)), return_counts=True)
    order = np.argsort(-counts, kind="stable")[: size - 3]
    return {str(found[place]): rank + 3 for rank, place in enumerate(order)}
""",
    },
    "encode": {
        "loop": """
def encode(text, index):
    ids = [1]
    for word in words(text):
        if word in index:
            ids.append(index[word])
        else:
            ids.append(2)
    return ids
""",
        "array": """
def encode(text, index):
    return np.array([1] + [index[word] if word in index else 2 for word in words(text)], dtype="int32")
""",
    },
    "pad": {
        "keras": """
def pad(sequences, length):
    return keras.utils.pad_sequences(sequences, maxlen=length)
""",
        "lists": """
def pad(sequences, length):
    rows = []
    for ids in sequences:
        ids = list(ids)[-length:]
        rows.append([0] * (length - len(ids)) + ids)
    return np.array(rows)
""",
        "number by number, from the end": """
def pad(sequences, length):
    rows = np.zeros((len(sequences), length), dtype=int)
    for row, ids in enumerate(sequences):
        for back in range(1, min(length, len(ids)) + 1):
            rows[row, -back] = ids[-back]
    return rows
""",
    },
    "length": {
        "numpy's percentile": """
def choose_length(lengths, share):
    if share <= 0 or share > 1:
        raise ValueError("share")
    return int(np.quantile(lengths, share, method="inverted_cdf"))
""",
        "counting up": """
def choose_length(lengths, share):
    if not (0 < share <= 1):
        raise ValueError("share")
    for length in sorted(set(lengths)):
        fits = sum(1 for other in lengths if other <= length)
        if fits >= share * len(lengths) - 1e-9:
            return length
""",
        "cumulative counts": """
def choose_length(lengths, share):
    if share <= 0 or share > 1:
        raise ValueError("share")
    values, counts = np.unique(lengths, return_counts=True)
    return values[np.argmax(np.cumsum(counts) / len(lengths) >= share - 1e-9)]
""",
    },
    "classifier": {
        "functional": """
def build_classifier(size, units):
    ids = keras.Input(shape=(None,), dtype="int32")
    vectors = keras.layers.Embedding(input_dim=size, output_dim=16, mask_zero=True)(ids)
    state = keras.layers.LSTM(units)(vectors)
    model = keras.Model(ids, keras.layers.Dense(1, activation=keras.activations.sigmoid)(state))
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=3e-3), loss=keras.losses.BinaryCrossentropy(),
                  metrics=[keras.metrics.BinaryAccuracy(name="accuracy")])
    return model
""",
        "a mask of its own": """
def build_classifier(size, units):
    ids = keras.Input((None,), dtype="int32")
    real = keras.layers.Lambda(lambda rows: keras.ops.not_equal(rows, 0))(ids)
    state = keras.layers.RNN(keras.layers.LSTMCell(units))(keras.layers.Embedding(size, 16)(ids), mask=real)
    logits = keras.layers.Dense(1)(state)
    model = keras.Model(ids, keras.layers.Activation("sigmoid")(logits))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.optimizer.learning_rate = 0.003
    return model
""",
    },
    "history": {
        "numpy": """
def read_history(history):
    held_out, training = np.array(history["val_loss"]), np.array(history["loss"])
    best = held_out.argmin()
    return best + 1, (held_out[-1] > held_out[best]) & (training[-1] < training[best])
""",
        "loop": """
def read_history(history):
    best = 0
    for epoch, loss in enumerate(history["val_loss"]):
        if loss < history["val_loss"][best]:
            best = epoch
    if history["val_loss"][-1] > history["val_loss"][best]:
        return best + 1, history["loss"][-1] < history["loss"][best]
    return best + 1, False
""",
    },
}


def index(
    split="words(text)",
    key="(-counts[word], word)",
    ranked="sorted(counts, key=lambda word: {key})",
    room="size - 3",
    first="3",
    count="for word in {split}",
    refuse="size < 4",
):
    count, ranked = count.format(split=split), ranked.format(key=key)
    return f"""
def build_index(texts, size):
    if {refuse}:
        raise ValueError("size")
    counts = Counter(word for text in texts {count})
    ranked = {ranked}
    return {{word: number for number, word in enumerate(ranked[: {room}], start={first})}}
"""


def encode(begin="[1]", known="index[word]", unknown="2", split="words(text)", keep="", result="ids"):
    return f"""
def encode(text, index):
    ids = {begin}
    for word in {split}:
        {keep or "pass"}
        if word in index:
            ids.append({known})
        else:
            ids.append({unknown})
    return {result}
"""


def pad(kept="list(ids)[-length:]", row="[0] * (length - len(kept)) + kept", result="np.array(rows)", before="pass"):
    return f"""
def pad(sequences, length):
    rows = []
    for ids in sequences:
        {before}
        kept = {kept}
        rows.append({row})
    return {result}
"""


def length(needed="math.ceil(share * len(ordered) - 1e-9)", ordered="sorted(lengths)", refuse="not 0 < share <= 1"):
    return f"""
def choose_length(lengths, share):
    if {refuse}:
        raise ValueError("share")
    ordered = {ordered}
    return ordered[{needed} - 1]
"""


def classifier(
    embedding="layers.Embedding(size, 16, mask_zero=True)",
    reader="layers.LSTM(units)",
    last='layers.Dense(1, activation="sigmoid")',
    optimizer="keras.optimizers.Adam(0.003)",
    loss='"binary_crossentropy"',
    metrics='["accuracy"]',
    time="None",
):
    return f"""
def build_classifier(size, units):
    layers = keras.layers
    model = keras.Sequential([keras.Input(({time},), dtype="int32"), {embedding}, {reader}, {last}])
    model.compile(optimizer={optimizer}, loss={loss}, metrics={metrics})
    return model
"""


def history(
    best='history["val_loss"].index(min(history["val_loss"]))',
    number="best + 1",
    overfits='history["val_loss"][-1] > history["val_loss"][best] and history["loss"][-1] < history["loss"][best]',
):
    return f"""
def read_history(history):
    best = {best}
    return {number}, {overfits}
"""


# exercise -> name of the mistake -> (the answer, the check meant for it, what its message says)
WRONG = {
    "index": {
        "ids from 0": (index(first="0"), "index_reserved", "3, 4, 5 and 6"),
        "ids from 1": (index(first="1"), "index_reserved", "3, 4, 5 and 6"),
        "words that come once left out": (
            index(ranked="sorted((word for word in counts if counts[word] > 1), key=lambda word: {key})"),
            "index_reserved",
            "four words",
        ),
        "reserved words among them": (
            index(ranked='["<pad>", "<start>", "<unknown>"] + sorted(counts, key=lambda word: {key})', first="0"),
            "index_reserved",
            "3, 4, 5 and 6",
        ),
        "unsorted vocabulary": (index(ranked="list(counts)"), "index_frequency", "the most frequent comes first"),
        "alphabetical alone": (index(key="word"), "index_frequency", "plot twice"),
        "the rarest first": (index(key="(counts[word], word)"), "index_frequency", "plot twice"),
        "texts counted, not words": (
            index(count="for word in set({split})"),
            "index_frequency",
            "dull and so come three times",
        ),
        "split at spaces": (index(split="text.split()"), "index_frequency", "dull and so"),
        "capitals kept": (
            index(split='__import__("re").findall(r"[\\w\']+", text)'),
            "index_frequency",
            "dull and so",
        ),
        "ties in the order of appearance": (index(key="-counts[word]"), "index_ties", "follow the alphabet"),
        "ties in reverse": (
            index(ranked="sorted(sorted(counts, reverse=True), key=lambda word: -counts[word])"),
            "index_ties",
            "follow the alphabet",
        ),
        "a set, so another order in every process": (
            index(ranked="sorted(set(counts), key=lambda word: (-counts[word], hash(word)))"),
            "index_ties",
            "come twice",
        ),
        "reserved ids not counted": (index(room="size"), "index_size", "two words get one"),
        "two reserved ids counted": (index(room="size - 2"), "index_size", "two words get one"),
        "size ignored": (index(room="None"), "index_size", "two words get one"),
        "an empty index for a small size": (index(refuse="False", room="max(0, size - 3)"), "index_size", "no room"),
    },
    "encode": {
        "no beginning": (encode(begin="[]"), "encode_start", "mark of the beginning"),
        "begins with 0": (encode(begin="[0]"), "encode_start", "mark of the beginning"),
        "nothing for an empty text": (
            encode(result="ids if len(ids) > 1 else []"),
            "encode_start",
            "the beginning alone",
        ),
        "an end mark as well": (encode(result="ids + [1]"), "encode_start", "the beginning alone"),
        "split at spaces": (encode(split="text.lower().split()"), "encode_known", "good, good, film"),
        "capitals kept": (
            encode(split='__import__("re").findall(r"\\\\w+", text)'),
            "encode_known",
            "a, good, good, film",
        ),
        "each word once": (encode(split="dict.fromkeys(words(text))"), "encode_known", "good, good"),
        "sorted": (encode(split="sorted(words(text))"), "encode_known", "good, good, film"),
        "ids moved by 3": (encode(known="index[word] + 3"), "encode_known", "good, good, film"),
        "the visible example hard-coded": (
            "def encode(text, index):\n    return [1, 3, 5, 5, 4] if index else [1]\n",
            "encode_known",
            "in its place",
        ),
        "unknown words left out": (
            encode(unknown="None", result="[number for number in ids if number is not None]"),
            "encode_unknown",
            "each of them becomes 2",
        ),
        "unknown words as padding": (encode(unknown="0"), "encode_unknown", "each of them becomes 2"),
        "unknown words learned": (
            encode(keep="index.setdefault(word, len(index) + 3)"),
            "encode_unknown",
            "each of them becomes 2",
        ),
        "the index changed": (encode(result='index.setdefault("", 2) and ids'), "encode_unknown", "changed the index"),
    },
    "pad": {
        "lists of their own length": (
            pad(row="kept", result="np.array(rows, dtype=object)"),
            "pad_shape",
            "rows of 4 ids",
        ),
        "to the longest list": (
            pad(kept="list(ids)", row="[0] * (max(map(len, sequences)) - len(kept)) + kept"),
            "pad_shape",
            "rows of 4 ids",
        ),
        "decimal fractions": (pad(result="np.array(rows, dtype=float)"), "pad_shape", "whole numbers"),
        "one column a list": (pad(result="np.array(rows).T"), "pad_shape", "three lists"),
        "zeros behind": (pad(row="kept + [0] * (length - len(kept))"), "pad_front", "before the ids"),
        "filled with 1": (pad(row="[1] * (length - len(kept)) + kept"), "pad_front", "before the ids"),
        "reversed": (pad(row="[0] * (length - len(kept)) + kept[::-1]"), "pad_front", "in their order"),
        "cut at the wrong end": (pad(kept="list(ids)[:length]"), "pad_cut", "the beginning is dropped"),
        "cut at the end, the first id kept": (
            pad(kept="[*ids[:1], *ids[1:][1 - length:]] if len(ids) > length else list(ids)"),
            "pad_cut",
            "the beginning is dropped",
        ),
        "one too few kept": (
            pad(kept="list(ids)[-length:] if len(ids) <= length else [0, *ids[len(ids) - length + 1:]]"),
            "pad_cut",
            "the last 5 ids",
        ),
        "cut when it fits": (
            pad(kept="list(ids)[1 - length:] if len(ids) >= length else list(ids)"),
            "pad_edges",
            "3 ids in a row of 3",
        ),
        "empty lists left out": (pad(before="if not len(ids): continue"), "pad_edges", ""),
        "lists shortened in place": (
            pad(kept="ids", before="del ids[:-length]").replace("+ kept", "+ list(kept)"),
            "pad_unchanged",
            "has changed",
        ),
    },
    "length": {
        "the mean": (length(needed="0", ordered="[round(sum(lengths) / len(lengths))]"), "length_covers", "into 6 fit"),
        "one too short": (
            length(needed="max(1, math.ceil(share * len(ordered) - 1e-9) - 1)"),
            "length_covers",
            "",
        ),
        "rounded down": (length(needed="max(1, int(share * len(ordered)))"), "length_covers", "into 6 fit"),
        "not sorted": (length(ordered="list(lengths)"), "length_covers", "need not be sorted"),
        "sorted downwards": (length(ordered="sorted(lengths, reverse=True)"), "length_covers", "into 6 fit"),
        "interpolated": (
            "def choose_length(lengths, share):\n    if not 0 < share <= 1:\n        raise ValueError('share')\n"
            "    return int(np.quantile(lengths, share))\n",
            "length_smallest",
            "nothing is interpolated",
        ),
        "one too long": (
            length(needed="min(len(ordered), math.ceil(share * len(ordered) - 1e-9) + 1)"),
            "length_smallest",
            "half of the texts fit into 4",
        ),
        "of the distinct lengths": (
            length(ordered="sorted(set(lengths))"),
            "length_smallest",
            "three of the four texts",
        ),
        "a share of the longest": (
            length(needed="0", ordered="[math.ceil(share * max(lengths))]"),
            "length_smallest",
            "",
        ),
        "always the longest": (length(needed="0", ordered="sorted(lengths)"), "length_smallest", "half of the texts"),
        "a rounding error counted": (
            length(needed="math.ceil(share * len(ordered) * (1 + 1e-12) + 1e-9)"),
            "length_smallest",
            "",
        ),
        "percentages accepted": (
            length(refuse="share <= 0", needed="math.ceil(min(1, share) * len(ordered) - 1e-9)"),
            "length_edges",
            "95 is no share",
        ),
        "a share of 0 accepted": (
            length(refuse="not 0 <= share <= 1", needed="max(1, math.ceil(share * len(ordered) - 1e-9))"),
            "length_edges",
            "asks for no text",
        ),
    },
    "classifier": {
        "a probability for every position": (
            classifier(reader="layers.LSTM(units, return_sequences=True)"),
            "classifier_output",
            "one probability a row",
        ),
        "one length of row": (
            classifier(
                embedding="layers.Embedding(size, 16)",
                reader="layers.LSTM(units, return_sequences=True), layers.Flatten()",
                time="5",
            ),
            "classifier_output",
            "any length",
        ),
        "two classes": (
            classifier(last='layers.Dense(2, activation="softmax")'),
            "classifier_output",
            "one probability a row",
        ),
        "softmax of one": (
            classifier(last='layers.Dense(1, activation="softmax")'),
            "classifier_output",
            "one sigmoid",
        ),
        "logits": (
            classifier(last="layers.Dense(1)", loss="keras.losses.BinaryCrossentropy(from_logits=True)"),
            "classifier_output",
            "one sigmoid",
        ),
        "nothing returned": (classifier().replace("return model", ""), "classifier_output", "return model"),
        "no mask": (
            classifier(embedding="layers.Embedding(size, 16)"),
            "classifier_mask",
            "is mask_zero=True",
        ),
        "average for an LSTM": (
            classifier(reader="layers.GlobalAveragePooling1D()"),
            "classifier_mask",
            "does an LSTM read",
        ),
        "units ignored": (classifier(reader="layers.LSTM(32)"), "classifier_parameters", "for the LSTM"),
        "size ignored": (
            classifier(embedding="layers.Embedding(5_000, 16, mask_zero=True)"),
            "classifier_parameters",
            "for the Embedding",
        ),
        "an embedding of 32": (
            classifier(embedding="layers.Embedding(size, 32, mask_zero=True)"),
            "classifier_parameters",
            "for the Embedding",
        ),
        "bidirectional": (
            classifier(reader="layers.Bidirectional(layers.LSTM(units))"),
            "classifier_parameters",
            "for the LSTM",
        ),
        "GRU": (classifier(reader="layers.GRU(units)"), "classifier_parameters", "for the LSTM"),
        "softmax twice": (
            classifier(last='layers.Dense(1, activation="sigmoid"), layers.Activation("sigmoid")'),
            "classifier_output",
            "one sigmoid",
        ),
        "squares for the cross-entropy": (classifier(loss='"mse"'), "classifier_loss", "binary_crossentropy"),
        "hinge": (classifier(loss='"hinge"'), "classifier_loss", "binary_crossentropy"),
        "another learning rate": (
            classifier(optimizer="keras.optimizers.Adam(0.0003)"),
            "classifier_learns",
            "0.003",
        ),
        "plain gradient descent": (classifier(optimizer='"sgd"'), "classifier_learns", "0.003"),
        "no accuracy": (classifier(metrics="None"), "classifier_loss", "metrics=['accuracy']"),
    },
    "history": {
        "counted from 0": (history(number="best"), "history_best", "count from 1"),
        "the lowest training loss": (
            history(best='history["loss"].index(min(history["loss"]))'),
            "history_best",
            "look at neither loss",
        ),
        "the highest validation loss": (
            history(best='history["val_loss"].index(max(history["val_loss"]))'),
            "history_best",
            "lowest after the second",
        ),
        "the highest accuracy": (
            history(best='int(np.argmax(history.get("val_accuracy", [-x for x in history["val_loss"]])))'),
            "history_best",
            "neither loss nor accuracy",
        ),
        "the loss for the epoch": (history(number='history["val_loss"][best]'), "history_best", "count from 1"),
        "the last of equal epochs": (
            history(best='len(history["val_loss"]) - 1 - history["val_loss"][::-1].index(min(history["val_loss"]))'),
            "history_tie",
            "the first of them",
        ),
        "any rise counts": (
            history(overfits='history["val_loss"][-1] > history["val_loss"][best]'),
            "history_overfits",
            "both losses rise",
        ),
        "validation above training": (
            history(overfits='history["val_loss"][-1] > history["loss"][-1]'),
            "history_overfits",
            "the last epoch is the best",
        ),
        "always": (history(overfits="True"), "history_overfits", "the last epoch is the best"),
        "never": (history(overfits="False"), "history_overfits", "validation loss rises"),
        "compared with the first epoch": (
            history(overfits='history["val_loss"][-1] > history["val_loss"][0]'),
            "history_overfits",
            "",
        ),
        "one result": (
            history().replace("return best + 1, ", "return best + 1 or "),
            "history_best",
            "end with `return best, overfits`",
        ),
    },
}
