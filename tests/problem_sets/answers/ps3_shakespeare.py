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
        next_probabilities, characters, prompt, temperatures, length, write, seed = self.settings
        rng = np.random.default_rng(seed)
        for temperature in temperatures:
            text = prompt
            while len(text) < len(prompt) + length:
                ids = [characters.index(character) for character in text]
                text += characters[sample(next_probabilities(ids), temperature, rng)]
            write(str(temperature) + ": " + text)


def sample_printer(next_probabilities, characters, prompt, temperatures, length, write=print, seed=0):
    return SamplePrinter(next_probabilities, characters, prompt, temperatures, length, write, seed)
""",
        "arrays and the course's sample": """
def sample_printer(next_probabilities, characters, prompt, temperatures, length, write=print, seed=0):
    from utils import sampling

    table = np.array(characters)
    start = np.array([np.flatnonzero(table == character)[0] for character in prompt])

    def go_on(ids, temperature, rng):
        for _ in range(length):
            ids = np.append(ids, sampling.sample(next_probabilities(ids), temperature, rng))
        return "".join(table[ids])

    def after_epoch(epoch, logs):
        rng = np.random.default_rng(seed)
        for temperature in temperatures:
            write(f"[{temperature}]\\n{go_on(start, temperature, rng)}")

    return keras.callbacks.LambdaCallback(on_epoch_end=after_epoch)
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
    draw="ids.append(sample(next_probabilities(ids), temperature, rng))",
    count="length",
    finish='write(f"{temperature}: " + "".join(characters[number] for number in ids))',
    end="",
    event="on_epoch_end",
):
    return f"""
def sample_printer(next_probabilities, characters, prompt, temperatures, length, write=print, seed=0):
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
            "no target for it",
        ),
    },
    "model": {
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
        "plain gradient descent": (model(optimizer='"sgd"'), "model_learns", "learning rate"),
        "another learning rate": (model(optimizer='"adam"'), "model_learns", "learning rate"),
    },
    "sample": {
        "temperature multiplied": (
            SAMPLE.format(body="q = np.exp(np.log(p + 1e-300) * temperature)"),
            "sample_frequencies",
            "squares",
        ),
        "temperature ignored": (SAMPLE.format(body="q = p"), "sample_frequencies", "squares"),
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
        "one character too few": (printer(count="length - 1"), "printer_text", "4 drawn characters"),
        "the ids for the text": (printer(finish='write(f"{temperature}: {ids}")'), "printer_text", "ends with"),
        "nothing fed back": (
            printer(
                each="ids = list(prompt_ids); drawn = []",
                draw="drawn.append(sample(next_probabilities(ids), temperature, rng))",
                finish='write(f"{temperature}: {prompt}" + "".join(characters[number] for number in drawn))',
            ),
            "printer_history",
            "drawn so far",
        ),
        "only the last id handed over": (
            printer(draw="ids.append(sample(next_probabilities(ids[-1:]), temperature, rng))"),
            "printer_history",
            "drawn so far",
        ),
        "each sample continues the one before": (
            printer(begin="rng = np.random.default_rng(seed); ids = list(prompt_ids)", each="pass"),
            "printer_text",
            "9 drawn characters",
        ),
        "temperature ignored": (
            printer(draw="ids.append(sample(next_probabilities(ids), 1.0, rng))"),
            "printer_temperatures",
            "most probable letter",
        ),
        "always the most probable": (
            printer(draw="ids.append(int(np.argmax(next_probabilities(ids))))"),
            "printer_temperatures",
            "many letters",
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
        "drawn once for all epochs": (
            printer(
                made="known = {}",
                begin="rng = np.random.default_rng(seed)",
                draw="ids.append(sample(known.setdefault(len(ids), next_probabilities(ids)), temperature, rng))",
            ),
            "printer_epochs",
            "draw anew",
        ),
    },
}
