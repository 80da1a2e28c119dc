"""Right answers to problem set 3 in other words, and wrong ones."""

RIGHT = {
    "vocabulary": {
        "loops": """
def build_vocabulary(text):
    characters = []
    for character in text:
        if character not in characters:
            characters.append(character)
    characters.sort()
    index = {}
    for character in characters:
        index[character] = len(index)
    return characters, index
""",
        "numpy": """
def build_vocabulary(text):
    characters = np.unique(list(text)).tolist()
    return characters, dict(zip(characters, range(len(characters))))
""",
    },
    "windows": {
        "loops": """
def windows_and_targets(ids, length, step):
    if length < 1 or step < 1 or len(ids) < length + 1:
        raise ValueError("no window")
    inputs, targets = [], []
    for start in range(0, len(ids) - length, step):
        inputs.append(ids[start : start + length])
        targets.append(ids[start + length])
    return np.array(inputs), np.array(targets)
""",
        "an array of positions": """
def windows_and_targets(ids, length, step):
    if min(length, step) < 1 or len(ids) <= length:
        raise ValueError("no window")
    starts = np.arange(0, len(ids) - length, step)
    return ids[starts[:, None] + np.arange(length)], ids[starts + length]
""",
        "the course's windows": """
def windows_and_targets(ids, length, step):
    from utils.text import windows

    if length < 1:
        raise ValueError("no window")
    together = windows(ids, length + 1, step)
    return together[:, :-1], together[:, -1]
""",
    },
    "model": {
        "functional": """
def build_model(classes, units):
    ids = keras.Input(shape=(None,))
    vectors = keras.layers.Embedding(input_dim=classes, output_dim=32)(ids)
    state = keras.layers.LSTM(units)(vectors)
    outputs = keras.layers.Dense(classes, activation=keras.activations.softmax)(state)
    model = keras.Model(ids, outputs)
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    return model
""",
        "a cell in an RNN layer and a Softmax layer": """
def build_model(classes, units):
    model = keras.Sequential()
    model.add(keras.layers.Embedding(classes, 32))
    model.add(keras.layers.RNN(keras.layers.LSTMCell(units)))
    model.add(keras.layers.Dense(classes))
    model.add(keras.layers.Softmax())
    model.build((None, None))
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=keras.losses.sparse_categorical_crossentropy)
    return model
""",
        "one-hot vectors times a matrix": """
def build_model(classes, units):
    ids = keras.Input((None,), dtype="int32")
    one_hot = keras.layers.Lambda(lambda numbers: keras.ops.one_hot(numbers, classes))(ids)
    state = keras.layers.LSTM(units)(keras.layers.Dense(32, use_bias=False)(one_hot))
    model = keras.Model(ids, keras.layers.Dense(classes, "softmax")(state))
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy")
    return model
""",
    },
    "sample": {
        "the cumulative distribution": """
def sample(probabilities, temperature=1.0, rng=None):
    rng = np.random.default_rng(rng)
    if temperature < 0:
        raise ValueError("temperature")
    probabilities = np.array(probabilities, dtype="float64")
    if temperature == 0:
        return probabilities.argmax()
    weights = (probabilities / probabilities.max()) ** (1 / temperature)
    cumulative = np.cumsum(weights)
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
""",
        "the largest of noisy logarithms": """
def sample(probabilities, temperature=1.0, rng=None):
    rng = np.random.default_rng(rng)
    if temperature < 0:
        raise ValueError("temperature")
    with np.errstate(divide="ignore"):
        logits = np.log(np.asarray(probabilities, dtype=float))
    return int(np.argmax(logits + temperature * rng.gumbel(size=logits.shape)))
""",
        "multinomial": """
def sample(probabilities, temperature=1.0, rng=None):
    rng = np.random.default_rng(rng)
    if temperature < 0:
        raise ValueError("temperature")
    possible = np.flatnonzero(np.asarray(probabilities) > 0)
    logits = np.log(np.asarray(probabilities, dtype=np.float64)[possible])
    if temperature < 1e-8:
        return possible[logits.argmax()]
    logits = logits / temperature
    weights = np.exp(logits - np.logaddexp.reduce(logits))
    return possible[rng.multinomial(1, weights / weights.sum()).argmax()]
""",
    },
    "printer": {
        "a class": """
class SamplePrinter(keras.callbacks.Callback):
    def __init__(self, *settings):
        super().__init__()
        self.settings = settings

    def on_epoch_end(self, epoch, logs=None):
        next_probabilities, draw, characters, prompt, temperatures, length, write, seed = self.settings
        rng = np.random.default_rng(seed)
        for temperature in temperatures:
            text = prompt
            while len(text) < len(prompt) + length:
                ids = [characters.index(character) for character in text]
                text += characters[draw(next_probabilities(ids), temperature, rng)]
            write(str(temperature) + ": " + text)


def sample_printer(next_probabilities, draw, characters, prompt, temperatures, length, write=print, seed=0):
    return SamplePrinter(next_probabilities, draw, characters, prompt, temperatures, length, write, seed)
""",
        "arrays": """
def sample_printer(next_probabilities, draw, characters, prompt, temperatures, length, write=print, seed=0):
    table = np.array(characters)
    start = np.array([np.flatnonzero(table == character)[0] for character in prompt])

    def go_on(ids, temperature, rng):
        for _ in range(length):
            ids = np.append(ids, draw(next_probabilities(ids), temperature, rng))
        return "".join(table[ids])

    def after_epoch(epoch, logs):
        rng = np.random.default_rng(seed)
        for temperature in temperatures:
            write(f"[{temperature}]\\n{go_on(start, temperature, rng)}")

    return keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)
""",
    },
    "together": {
        "a list of rows": """
def write_together(next_probabilities, draw, prompts, temperatures, length, seeds):
    if len(set(map(len, (prompts, temperatures, seeds)))) > 1:
        raise ValueError("one temperature and one seed for each prompt")
    texts = [list(prompt) for prompt in prompts]
    rngs = [np.random.default_rng(seed) for seed in seeds]
    for _ in range(length):
        probabilities = next_probabilities(np.array(texts))
        for number in range(len(texts)):
            texts[number].append(draw(probabilities[number], temperatures[number], rngs[number]))
    return np.array(texts)
""",
        "an array filled in place": """
def write_together(next_probabilities, draw, prompts, temperatures, length, seeds):
    count, time = np.shape(prompts)
    if count != len(temperatures) or count != len(seeds):
        raise ValueError("counts")
    texts = np.zeros((count, time + length), dtype=int)
    texts[:, :time] = prompts
    generators = list(map(np.random.default_rng, seeds))
    for place in range(time, time + length):
        table = next_probabilities(texts[:, :place])
        texts[:, place] = list(map(draw, table, temperatures, generators))
    return texts
""",
    },
    "words": {
        "loops": """
def split_words(text):
    tokens, word = [], ""
    for character in text:
        if character == "'" or (character.isascii() and character.isalpha()):
            word += character
            continue
        if word:
            tokens.append(word)
        tokens.append(character)
        word = ""
    return tokens + [word] * bool(word)


def word_vocabulary(tokens, size):
    counts = {}
    for token in tokens:
        counts[token] = counts.get(token, 0) + 1
    ranked = sorted(counts)
    ranked.sort(key=counts.get, reverse=True)
    return (["<unknown>"] + ranked)[:size]


def encode_words(tokens, vocabulary):
    return np.array([vocabulary.index(token) if token in vocabulary else 0 for token in tokens])
""",
        "split at boundaries, and numpy": """
def split_words(text):
    return [token for token in re.split(r"([^a-zA-Z'])", text) if token]


def word_vocabulary(tokens, size):
    distinct, counts = np.unique(tokens, return_counts=True)
    order = np.argsort(-counts, kind="stable")[: size - 1]
    return ["<unknown>"] + distinct[order].tolist()


def encode_words(tokens, vocabulary):
    ids = np.zeros(len(tokens), dtype="int32")
    for number, token in enumerate(vocabulary):
        ids[np.array(tokens) == token] = number
    return ids
""",
    },
    "style": {
        "loops": """
def transition_table(ids, classes):
    table = [[1] * classes for _ in range(classes)]
    for before, after in zip(ids, ids[1:]):
        table[before][after] += 1
    return np.array([[count / sum(row) for count in row] for row in table])


def closer_style(ids, tables):
    if len(ids) <= 1:
        raise ValueError("too short")
    surprises = {}
    for style in tables:
        total = 0.0
        for before, after in zip(ids, ids[1:]):
            total -= math.log(tables[style][before, after])
        surprises[style] = total / (len(ids) - 1)
    return sorted(surprises, key=lambda style: surprises[style])[0], surprises
""",
        "one number a pair": """
def transition_table(ids, classes):
    pairs = np.bincount(ids[:-1] * classes + ids[1:], minlength=classes**2).reshape(classes, classes)
    return (pairs + 1) / (pairs.sum(axis=-1)[:, None] + classes)


def closer_style(ids, tables):
    before, after = np.array(ids)[:-1], np.array(ids)[1:]
    if not after.size:
        raise ValueError("too short")
    names = list(tables)
    surprises = [-np.mean(np.log(tables[name])[before, after]) for name in names]
    return names[int(np.argmin(surprises))], dict(zip(names, surprises))
""",
    },
}

MODEL = """
def build_model(classes, units):
    layers = keras.layers
    model = keras.Sequential([{layers}])
    model.compile(optimizer={optimizer}, loss={loss})
    return model
"""


def model(
    first="layers.Embedding(classes, 32)",
    middle="layers.LSTM(units)",
    last='layers.Dense(classes, activation="softmax")',
    optimizer="keras.optimizers.Adam(0.01)",
    loss='"sparse_categorical_crossentropy"',
    time="None",
):
    layers = f'keras.Input(({time},), dtype="int32"), {first}, {middle}, {last}'
    return MODEL.format(layers=layers, optimizer=optimizer, loss=loss)


SAMPLE = """
def sample(probabilities, temperature=1.0, rng=None):
    rng = np.random.default_rng(rng)
    if temperature < 0:
        raise ValueError("temperature")
    p = np.asarray(probabilities, dtype=np.float64)
    {body}
    return int(rng.choice(len(p), p=q / q.sum()))
"""


def windows(
    count="len(ids) - length", inputs="ids[start : start + length]", targets="ids[start + length]", step="step"
):
    return f"""
def windows_and_targets(ids, length, step):
    if length < 1 or step < 1 or len(ids) <= length:
        raise ValueError("no window")
    starts = range(0, {count}, {step})
    return np.array([{inputs} for start in starts]), np.array([{targets} for start in starts])
"""


def printer(
    made="",
    begin="rng = np.random.default_rng(seed)",
    each="ids = list(prompt_ids)",
    draw="ids.append(draw(next_probabilities(ids), temperature, rng))",
    count="length",
    finish='write(f"{temperature}: " + "".join(characters[number] for number in ids))',
    end="",
    event="on_epoch_end",
):
    return f"""
def sample_printer(next_probabilities, draw, characters, prompt, temperatures, length, write=print, seed=0):
    prompt_ids = [characters.index(character) for character in prompt]
    {made}

    def write_samples(epoch, logs=None):
        {begin}
        for temperature in temperatures:
            {each}
            for _ in range({count}):
                {draw}
            {finish}
        {end}

    return keras.callbacks.LambdaCallback({event}=write_samples)
"""


def together(
    refuse="not len(prompts) == len(temperatures) == len(seeds)",
    generators="[np.random.default_rng(seed) for seed in seeds]",
    steps="range(length)",
    rows="next_probabilities(texts)",
    drawn="[draw(*choice) for choice in zip(rows, temperatures, generators)]",
    result="texts",
):
    return f"""
def write_together(next_probabilities, draw, prompts, temperatures, length, seeds):
    if {refuse}:
        raise ValueError("one temperature and one seed for each prompt")
    texts = np.array(prompts)
    generators = {generators}
    for step in {steps}:
        rows = {rows}
        drawn = {drawn}
        texts = np.column_stack([texts, drawn])
    return {result}
"""


def words(
    split="re.findall(r\"[A-Za-z']+|[^A-Za-z']\", text)",
    ranked="sorted(counts, key=lambda token: (-counts[token], token))",
    vocabulary='["<unknown>", *ranked[: size - 1]]',
    ids="[positions.get(token, 0) for token in tokens]",
):
    return f"""
def split_words(text):
    return {split}


def word_vocabulary(tokens, size):
    counts = Counter(tokens)
    ranked = {ranked}
    return {vocabulary}


def encode_words(tokens, vocabulary):
    positions = {{token: number for number, token in enumerate(vocabulary)}}
    return np.array({ids})
"""


def style(
    start="np.ones((classes, classes))",
    pairs="(ids[:-1], ids[1:])",
    table="counts / counts.sum(axis=1, keepdims=True)",
    refuse="len(ids) < 2",
    surprise="float(-np.log(table[ids[:-1], ids[1:]]).mean())",
    result="min(surprises, key=surprises.get), surprises",
):
    return f"""
def transition_table(ids, classes):
    counts = {start}
    np.add.at(counts, {pairs}, 1)
    return {table}


def closer_style(ids, tables):
    if {refuse}:
        raise ValueError("too short")
    surprises = {{style: {surprise} for style, table in tables.items()}}
    return {result}
"""


# exercise -> name of the mistake -> (the answer, the check meant for it, what its message says)
WRONG = {
    "vocabulary": {
        "in the order of appearance": (
            """
def build_vocabulary(text):
    characters = list(dict.fromkeys(text))
    return characters, {character: number for number, character in enumerate(characters)}
""",
            "vocabulary_sorted",
            "sort them",
        ),
        "most frequent first": (
            """
def build_vocabulary(text):
    import collections
    characters = [character for character, _ in collections.Counter(text).most_common()]
    return characters, {character: number for number, character in enumerate(characters)}
""",
            "vocabulary_sorted",
            "sort them",
        ),
        "repetitions kept": (
            """
def build_vocabulary(text):
    characters = sorted(text)
    return characters, {character: characters.index(character) for character in characters}
""",
            "vocabulary_sorted",
            "each character once",
        ),
        "the visible example hard-coded": (
            """
def build_vocabulary(text):
    return [" ", "b", "e", "n", "o", "r", "t"], {" ": 0, "b": 1, "e": 2, "n": 3, "o": 4, "r": 5, "t": 6}
""",
            "vocabulary_sorted",
            "as Python sorts",
        ),
        "letters alone": (
            """
def build_vocabulary(text):
    characters = sorted(filter(str.isalpha, set(text)))
    return characters, {character: number for number, character in enumerate(characters)}
""",
            "vocabulary_index",
            "these characters of the text have no id",
        ),
        "lower-cased": (
            """
def build_vocabulary(text):
    characters = sorted(set(text.lower()))
    return characters, {character: number for number, character in enumerate(characters)}
""",
            "vocabulary_complete",
            "['S']",
        ),
        "line ends dropped": (
            """
def build_vocabulary(text):
    characters = sorted(set("".join(text.splitlines())))
    return characters, {character: number for number, character in enumerate(characters)}
""",
            "vocabulary_complete",
            "['\\n']",
        ),
        "a padding token added": (
            """
def build_vocabulary(text):
    characters = ["<pad>"] + sorted(set(text))
    return characters, {character: number for number, character in enumerate(characters)}
""",
            "vocabulary_complete",
            "not in the text",
        ),
        "the list alone": (
            """
def build_vocabulary(text):
    return sorted(set(text))
""",
            "vocabulary_sorted",
            "return characters, index",
        ),
        "ids from 1": (
            """
def build_vocabulary(text):
    characters = sorted(set(text))
    return characters, {character: number for number, character in enumerate(characters, start=1)}
""",
            "vocabulary_index",
            "counted from 0",
        ),
        "from id to character": (
            """
def build_vocabulary(text):
    characters = sorted(set(text))
    return characters, dict(enumerate(characters))
""",
            "vocabulary_index",
            "leads from a character",
        ),
    },
    "windows": {
        "target is the window's last id": (windows(targets="ids[start + length - 1]"), "windows_targets", "comes next"),
        "target one too far": (
            windows(targets="ids[min(start + length + 1, len(ids) - 1)]"),
            "windows_targets",
            "comes next",
        ),
        "targets are the shifted windows": (
            windows(targets="ids[start + 1 : start + length + 1]"),
            "windows_targets",
            "comes next",
        ),
        "last window lost": (windows(count="len(ids) - length - 1"), "windows_last", "at 6 has a target"),
        "a window without a target": (
            windows(count="len(ids) - length + 1", targets="ids[(start + length) % len(ids)]"),
            "windows_last",
            "has no target",
        ),
        "the visible example hard-coded": (
            """
def windows_and_targets(ids, length, step):
    return np.array([[10, 11, 12, 13], [13, 14, 15, 16], [16, 17, 18, 19]]), np.array([14, 17, 20])
""",
            "windows_inputs",
            "window i begins",
        ),
        "all windows in one row": (
            windows().replace("for start in starts]), ", "for start in starts]).ravel(), "),
            "windows_inputs",
            "the last axis is missing: one window a row",
        ),
        "lists for arrays": (
            windows().replace("np.array(", "list("),
            "windows_inputs",
            "expected an array of windows, got a list: np.array(...)",
        ),
        "the windows alone": (
            windows().replace(", np.array([ids[start + length] for start in starts])", ""),
            "windows_inputs",
            "expected two arrays",
        ),
        "windows that run over the end": (
            windows(count="len(ids)", targets="ids[(start + length) % len(ids)]"),
            "windows_last",
            "length 4, step 3: got ValueError",
        ),
        "step ignored": (windows(step="1"), "windows_inputs", "3 ids further"),
        "windows one too long": (windows(inputs="ids[start : start + length + 1]"), "windows_inputs", "first 4 ids"),
        "one column a window": (
            windows().replace(
                "np.array([ids[start : start + length] for start in starts])",
                "np.array([ids[start : start + length] for start in starts]).T",
            ),
            "windows_inputs",
            "one window a row",
        ),
        "an empty result for a short text": (
            windows().replace(" or len(ids) <= length", ""),
            "windows_errors",
            "raise a ValueError",
        ),
        "a text without a target accepted": (
            windows(targets="ids[(start + length) % len(ids)]").replace("len(ids) <= length", "len(ids) < length"),
            "windows_errors",
            "but no target for it",
        ),
    },
    "model": {
        "nothing returned": (
            model().replace("return model", ""),
            "model_shapes",
            "got NoneType: does your function end with `return model`?",
        ),
        "the layers returned": (
            model().replace("return model", "return model.layers"),
            "model_learns",
            "expected a Keras model from build_model(6, 16), got list",
        ),
        "softmax twice": (
            model(last='layers.Dense(classes, activation="softmax"), layers.Softmax()'),
            "model_learns",
            "exactly one softmax",
        ),
        "no softmax": (model(last="layers.Dense(classes)"), "model_distribution", "softmax"),
        "logits with from_logits": (
            model(last="layers.Dense(classes)", loss="keras.losses.SparseCategoricalCrossentropy(from_logits=True)"),
            "model_distribution",
            "softmax",
        ),
        "sigmoid for softmax": (
            model(last='layers.Dense(classes, activation="sigmoid")'),
            "model_distribution",
            "sums to 1",
        ),
        "a prediction for every position": (
            model(middle="layers.LSTM(units, return_sequences=True)"),
            "model_shapes",
            "one row a window",
        ),
        "one length of window": (
            model(middle="layers.LSTM(units, return_sequences=True), layers.Flatten()", time="5"),
            "model_shapes",
            "any length",
        ),
        "loss for one-hot targets": (
            model(loss='"categorical_crossentropy"'),
            "model_loss",
            "compiled with sparse",
        ),
        "squared error": (model(loss='"mean_squared_error"'), "model_loss", "compiled with sparse"),
        "not compiled": (
            "import keras\ndef build_model(classes, units):\n"
            "    layers = keras.layers\n"
            "    return keras.Sequential([keras.Input((None,)), layers.Embedding(classes, 32), layers.LSTM(units),"
            ' layers.Dense(classes, "softmax")])\n',
            "model_loss",
            "is the model compiled",
        ),
        "input unknown": (
            model().replace('keras.Input((None,), dtype="int32"), ', ""),
            "model_parameters",
            "begin with keras.Input",
        ),
        "no id for the last class": (
            model(first="layers.Embedding(classes - 1, 32)"),
            "model_loss",
            "has the Embedding a row for each class?",
        ),
        "a class too few": (
            model(last='layers.Dense(classes - 1, activation="softmax")'),
            "model_loss",
            "one row of probabilities a window",
        ),
        "units ignored": (model(middle="layers.LSTM(16)"), "model_parameters", "both arguments"),
        "GRU for LSTM": (model(middle="layers.GRU(units)"), "model_parameters", "LSTM"),
        "embedding of another size": (model(first="layers.Embedding(classes, 64)"), "model_parameters", "32"),
        "id 0 masked": (model(first="layers.Embedding(classes, 32, mask_zero=True)"), "model_order", "not padding"),
        "characters averaged": (
            model(middle="layers.GlobalAveragePooling1D(), layers.Reshape((1, 32)), layers.LSTM(units)"),
            "model_order",
            "same prediction",
        ),
        "only the last character read": (
            model(middle="layers.Lambda(lambda x: x[:, -1:]), layers.LSTM(units)"),
            "model_order",
            "more than the end",
        ),
        "plain gradient descent": (model(optimizer='"sgd"'), "model_learns", "is the optimizer Adam"),
        "another learning rate": (model(optimizer='"adam"'), "model_learns", "learning rate"),
    },
    "sample": {
        "temperature multiplied": (
            SAMPLE.format(body="q = np.exp(np.log(p + 1e-300) * temperature)"),
            "sample_frequencies",
            "the square of its probability",
        ),
        "temperature ignored": (SAMPLE.format(body="q = p"), "sample_frequencies", "the square of its probability"),
        "always the most probable": (
            SAMPLE.format(body="q = np.eye(len(p))[p.argmax()]"),
            "sample_frequencies",
            "as often as its probability",
        ),
        "all equally probable": (
            SAMPLE.format(body="q = np.ones(len(p))"),
            "sample_frequencies",
            "as often as its probability",
        ),
        "softmax of probabilities": (
            SAMPLE.format(body="q = np.exp(p / max(temperature, 1e-9) - (p / max(temperature, 1e-9)).max())"),
            "sample_frequencies",
            "as often as its probability",
        ),
        "the formula as it stands": (
            SAMPLE.format(body="q = p ** (1 / temperature) if temperature else np.eye(len(p))[p.argmax()]"),
            "sample_cold",
            "logarithms",
        ),
        "temperature 0 divides": (
            SAMPLE.format(body="t = np.log(p + 1e-300) / temperature; q = np.exp(t - t.max())"),
            "sample_cold",
            "logarithms",
        ),
        "a small number added": (
            SAMPLE.format(body="t = np.log(p + 1e-7) / max(temperature, 1e-9); q = np.exp(t - t.max())"),
            "sample_zeros",
            "small number",
        ),
        "sum of float32 trusted": (
            SAMPLE.replace("q / q.sum()", "q").format(
                body="q = p ** (1 / temperature) if temperature > 0.01 else np.eye(len(p))[p.argmax()]\n"
                "    q = q if temperature == 1 else q / q.sum()"
            ),
            "sample_index",
            "float64",
        ),
        "a one-hot row": (
            SAMPLE.replace("int(rng.choice(len(p), p=q / q.sum()))", "rng.multinomial(1, q / q.sum())").format(
                body="q = p ** (1 / max(temperature, 0.01))"
            ),
            "sample_index",
            "one number",
        ),
        "a list of one number": (
            SAMPLE.replace("int(rng.choice(len(p), p=q / q.sum()))", "rng.choice(len(p), 1, p=q / q.sum())").format(
                body="q = p ** (1 / max(temperature, 0.01))"
            ),
            "sample_zeros",
            "one number a draw",
        ),
        "another generator": (
            SAMPLE.replace("rng.choice", "np.random.choice").format(body="q = p ** (1 / max(temperature, 0.01))"),
            "sample_seed",
            "rng",
        ),
        "a negative temperature accepted": (
            SAMPLE.replace("temperature < 0", "False").format(body="q = p ** (1 / max(abs(temperature), 0.01))"),
            "sample_negative",
            "ValueError",
        ),
        "seed instead of the generator": (
            SAMPLE.replace("np.random.default_rng(rng)", "np.random.default_rng(hash(str(rng)) % 2**32)").format(
                body="q = p ** (1 / max(temperature, 0.01))"
            ),
            "sample_seed",
            "a generator made from a seed",
        ),
    },
    "printer": {
        "before the epoch": (printer(event="on_epoch_begin"), "printer_lines", "expected 2, got 0"),
        "printed, not handed to write": (
            printer(finish='print(temperature, "".join(characters[number] for number in ids))'),
            "printer_lines",
            "expected 2, got 0",
        ),
        "the function itself returned": (
            printer().replace("keras.callbacks.LambdaCallback(on_epoch_end=write_samples)", "write_samples"),
            "printer_lines",
            "LambdaCallback",
        ),
        "nothing returned": (
            printer().replace("return keras.callbacks.LambdaCallback(on_epoch_end=write_samples)", ""),
            "printer_text",
            "expected a Keras callback, got NoneType",
        ),
        "written before training": (
            printer(event="").replace(
                "return keras.callbacks.LambdaCallback(=write_samples)",
                "write_samples(0)\n    return keras.callbacks.LambdaCallback(on_epoch_end=write_samples)",
            ),
            "printer_lines",
            "before an epoch ended",
        ),
        "all temperatures in one string": (
            printer(
                begin="rng = np.random.default_rng(seed); texts = []",
                finish='texts.append(f"{temperature}: " + "".join(characters[number] for number in ids))',
                end='write("\\n".join(texts))',
            ),
            "printer_lines",
            "each of 2 temperatures",
        ),
        "without the prompt": (
            printer(finish='write(f"{temperature}: " + "".join(characters[n] for n in ids[len(prompt) :]))'),
            "printer_text",
            "the prompt",
        ),
        "no string when it ends": (printer(event="on_epoch_begin"), "printer_text", "expected at least 2 strings"),
        "one character too few": (printer(count="length - 1"), "printer_text", "4 drawn characters"),
        "the ids for the text": (printer(finish='write(f"{temperature}: {ids}")'), "printer_text", "ends with"),
        "nothing fed back": (
            printer(
                each="ids = list(prompt_ids); drawn = []",
                draw="drawn.append(draw(next_probabilities(ids), temperature, rng))",
                finish='write(f"{temperature}: {prompt}" + "".join(characters[number] for number in drawn))',
            ),
            "printer_history",
            "drawn so far",
        ),
        "only the last id handed over": (
            printer(draw="ids.append(draw(next_probabilities(ids[-1:]), temperature, rng))"),
            "printer_history",
            "drawn so far",
        ),
        "each sample continues the one before": (
            printer(begin="rng = np.random.default_rng(seed); ids = list(prompt_ids)", each="pass"),
            "printer_text",
            "not with the sample before it",
        ),
        "the prompt's own list grows": (
            printer(each="ids = prompt_ids"),
            "printer_text",
            "not with the sample before it",
        ),
        "each epoch continues the one before": (
            printer(each="ids = prompt_ids", end="del prompt_ids[len(prompt) + length :]")
            .replace(
                "            ids = prompt_ids",
                "            ids = list(prompt_ids)",
            )
            .replace(
                "        del prompt_ids", "        prompt_ids.extend(ids[len(prompt_ids) :])\n        del prompt_ids"
            ),
            "printer_text",
            "each string ends with the prompt",
        ),
        "the sample before is read along, and not written": (
            printer(
                begin="rng = np.random.default_rng(seed); ids = list(prompt_ids)",
                each="begin = len(ids)",
                finish='write(f"{temperature}: {prompt}" + "".join(characters[n] for n in ids[begin:]))',
            ),
            "printer_history",
            "not another sample",
        ),
        "temperature ignored": (
            printer(draw="ids.append(draw(next_probabilities(ids), 1.0, rng))"),
            "printer_temperatures",
            "the temperature of its sample",
        ),
        "another function draws": (
            printer(draw="ids.append(sample(next_probabilities(ids), temperature, rng))"),
            "printer_temperatures",
            "`draw` is called once for each character",
        ),
        "probabilities sharpened before draw does it": (
            printer(draw="ids.append(draw(np.square(next_probabilities(ids)), temperature, rng))"),
            "printer_temperatures",
            "as they are",
        ),
        "always the most probable": (
            printer(draw="ids.append(int(np.argmax(next_probabilities(ids))))"),
            "printer_temperatures",
            "`draw` is called once for each character",
        ),
        "temperature not named": (
            printer(finish='write("".join(characters[number] for number in ids))'),
            "printer_temperatures",
            "names the temperature",
        ),
        "one generator for all epochs": (
            printer(made="rng = np.random.default_rng(seed)", begin="pass"),
            "printer_epochs",
            "new generator",
        ),
        "one seed for all": (
            printer(begin="rng = np.random.default_rng(0)"),
            "printer_epochs",
            "is the generator made from `seed`",
        ),
        "drawn once for all epochs": (
            printer(
                made="known = {}",
                begin="rng = np.random.default_rng(seed)",
                draw="ids.append(draw(known.setdefault(len(ids), next_probabilities(ids)), temperature, rng))",
            ),
            "printer_epochs",
            "draw anew",
        ),
    },
    "together": {
        "one text after the other": (
            """
def write_together(next_probabilities, draw, prompts, temperatures, length, seeds):
    if not len(prompts) == len(temperatures) == len(seeds):
        raise ValueError("counts")
    choices = zip(prompts, temperatures, seeds)
    return np.array([write_alone(next_probabilities, draw, row, heat, length, seed) for row, heat, seed in choices])
""",
            "together_calls",
            "one id more each time",
        ),
        "only the last two ids handed over": (
            together(rows="next_probabilities(texts[:, -2:])"),
            "together_calls",
            "one id more each time",
        ),
        "asked once more at the end": (
            together(result="next_probabilities(texts) is None or texts"),
            "together_calls",
            "one id more each time",
        ),
        "without the prompts": (
            together(result="texts[:, np.shape(prompts)[1] :]"),
            "together_prompts",
            "3 ids in the prompt and 4 drawn ones",
        ),
        "time before texts": (together(result="texts.T"), "together_prompts", "transposed"),
        "one character too few": (together(steps="range(length - 1)"), "together_prompts", "4 drawn ones"),
        "one generator for all": (
            together(generators="[np.random.default_rng(seeds[0])] * len(seeds)"),
            "together_same",
            "one generator made once from its seed",
        ),
        "seeds ignored": (
            together(generators="[np.random.default_rng(number) for number in range(len(seeds))]"),
            "together_same",
            "one generator made once from its seed",
        ),
        "one temperature for all": (
            together(drawn="[draw(row, temperatures[0], rng) for row, rng in zip(rows, generators)]"),
            "together_same",
            "has it its own temperature",
        ),
        "new generators for each character": (
            together(
                drawn="[draw(row, heat, np.random.default_rng(seed)) "
                "for row, heat, seed in zip(rows, temperatures, seeds)]"
            ),
            "together_same",
            "one generator made once from its seed",
        ),
        "one draw for all texts": (
            together(drawn="[draw(rows[0], temperatures[0], generators[0])] * len(rows)"),
            "together_same",
            "is not what it is alone",
        ),
        "counts that do not fit": (
            together(refuse="False").replace("zip(rows, temperatures", "zip(rows, list(temperatures) * len(rows)"),
            "together_refused",
            "zip would drop a text",
        ),
        "seeds not counted": (
            together(
                refuse="len(prompts) != len(temperatures)",
                generators="[np.random.default_rng(seeds[n % len(seeds)]) for n in range(len(prompts))]",
            ),
            "together_refused",
            "1 seeds",
        ),
    },
    "words": {
        "split at spaces": (words(split="text.split()"), "words_split", "of its own"),
        "line ends lost": (words(split='re.findall(r"[A-Za-z\']+|.", text)'), "words_split", "of its own"),
        "apostrophes apart": (
            words(split='re.findall(r"[A-Za-z]+|[^A-Za-z]", text)'),
            "words_split",
            "letters and apostrophes",
        ),
        "punctuation in runs": (
            words(split="re.findall(r\"[A-Za-z']+|[^A-Za-z']+\", text)"),
            "words_split",
            "of its own",
        ),
        "lower-cased": (
            words(split="re.findall(r\"[a-z']+|[^a-z']\", text.lower())"),
            "words_split",
            "'Thy'",
        ),
        "digits in words": (
            words(split="re.findall(r\"[\\w']+|[^\\w']\", text)"),
            "words_split",
            "each other character, a digit too",
        ),
        "no place for unknown tokens": (words(vocabulary="ranked[:size]"), "words_frequent", "<unknown>"),
        "one token too many": (
            words(vocabulary='["<unknown>", *ranked[:size]]'),
            "words_frequent",
            "size 4: <unknown>, then 3 tokens",
        ),
        "ties in order of appearance": (
            words(ranked="[token for token, _ in counts.most_common()]"),
            "words_frequent",
            "then the most frequent tokens",
        ),
        "rarest first": (words(ranked="sorted(counts, key=counts.get)"), "words_frequent", "the space comes 5 times"),
        "in alphabetical order": (words(ranked="sorted(counts)"), "words_frequent", "the space comes 5 times"),
        "unknown tokens left out": (
            words(ids="[positions[token] for token in tokens if token in positions]"),
            "words_encode",
            "is unknown and gets 0",
        ),
        "unknown tokens refused": (words(ids="[positions[token] for token in tokens]"), "words_encode", "give it 0"),
        "unknown tokens last": (
            words(ids="[positions.get(token, len(vocabulary)) for token in tokens]"),
            "words_encode",
            "is unknown and gets 0",
        ),
        "counted from 1": (
            words(ids="[positions.get(token, -1) + 1 for token in tokens]"),
            "words_encode",
            "the position of each token",
        ),
    },
    "style": {
        "nothing added": (style(start="np.full((classes, classes), 1e-9)"), "style_table", "add 1 to each count"),
        "columns that sum to 1": (
            style(table="counts / counts.sum(axis=0, keepdims=True)"),
            "style_table",
            "each row sums to 1",
        ),
        "counts, not probabilities": (style(table="counts"), "style_table", "each row sums to 1"),
        "backwards": (style(pairs="(ids[1:], ids[:-1])"), "style_table", "0 is followed by 1 twice"),
        "every second pair": (style(pairs="(ids[:-1:2], ids[1::2])"), "style_table", "0 is followed by 1 twice"),
        "repeated pairs counted once": (
            style().replace("np.add.at(counts, (ids[:-1], ids[1:]), 1)", "counts[ids[:-1], ids[1:]] += 1"),
            "style_table",
            "0 is followed by 1 twice",
        ),
        "probabilities of ids alone": (
            style(table="np.tile(counts.sum(axis=0) / counts.sum(), (classes, 1))"),
            "style_held_out",
            "does the table know what follows what",
        ),
        "the most surprised wins": (
            style(result="max(surprises, key=surprises.get), surprises"),
            "style_held_out",
            "does the lowest win",
        ),
        "the wrong style named": (
            style(result="max(surprises, key=surprises.get), surprises"),
            "style_surprise",
            "less surprised names the style",
        ),
        "a sum for the mean": (
            style(surprise="float(-np.log(table[ids[:-1], ids[1:]]).sum())"),
            "style_surprise",
            "the mean of -ln p is ln 2",
        ),
        "bits for nats": (
            style(surprise="float(-np.log2(table[ids[:-1], ids[1:]]).mean())"),
            "style_surprise",
            "the mean of -ln p is ln 2",
        ),
        "the sign forgotten": (
            style(
                surprise="float(np.log(table[ids[:-1], ids[1:]]).mean())",
                result="max(surprises, key=surprises.get), surprises",
            ),
            "style_surprise",
            "the sign is flipped",
        ),
        "divided by all ids": (
            style(surprise="float(-np.log(table[ids[:-1], ids[1:]]).sum() / len(ids))"),
            "style_surprise",
            "the mean of -ln p is ln 2",
        ),
        "the name alone": (style(result="min(surprises, key=surprises.get)"), "style_surprise", "return both"),
        "one id accepted": (
            style(
                refuse="len(ids) < 1",
                surprise="float(-np.log(table[ids[:-1], ids[1:]]).sum() / max(1, len(ids) - 1))",
            ),
            "style_surprise",
            "one id, and nothing before it",
        ),
    },
}
