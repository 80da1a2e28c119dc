"""Right answers to problem set 2 in other words, and wrong ones."""

RIGHT = {
    "step": {
        "dot and add": """
def rnn_step(inputs, state, parameters):
    from_inputs = np.dot(inputs, parameters["W_xh"])
    from_state = np.dot(state, parameters["W_hh"])
    return np.tanh(np.add(np.add(from_inputs, from_state), parameters["b_h"]))
""",
        "loops": """
def rnn_step(inputs, state, parameters):
    batch, units = state.shape
    result = np.empty((batch, units))
    for row in range(batch):
        for unit in range(units):
            total = parameters["b_h"][unit]
            for feature in range(inputs.shape[1]):
                total += inputs[row, feature] * parameters["W_xh"][feature, unit]
            for other in range(units):
                total += state[row, other] * parameters["W_hh"][other, unit]
            result[row, unit] = np.tanh(total)
    return result
""",
        "one matrix": """
def rnn_step(inputs, state, parameters):
    kernel = np.concatenate([parameters["W_xh"], parameters["W_hh"]])
    both = np.concatenate([inputs, state], axis=1)
    return 2 / (1 + np.exp(-2 * (both @ kernel + parameters["b_h"]))) - 1
""",
    },
    "forward": {
        "an array to fill": """
def rnn_forward(inputs, initial, parameters):
    batch, time, _ = inputs.shape
    states = np.zeros((batch, time, initial.shape[1]))
    for t in range(time):
        before = initial if t == 0 else states[:, t - 1, :]
        states[:, t, :] = rnn_step(inputs[:, t, :], before, parameters)
    return states
""",
        "inputs first, time in front": """
def rnn_forward(inputs, initial, parameters):
    projected = np.einsum("btf,fu->tbu", inputs, parameters["W_xh"]) + parameters["b_h"]
    states = [initial]
    for row in projected:
        states.append(np.tanh(row + states[-1] @ parameters["W_hh"]))
    return np.swapaxes(np.array(states[1:]), 0, 1)
""",
        "accumulate": """
def rnn_forward(inputs, initial, parameters):
    from itertools import accumulate

    def step(state, x):
        return rnn_step(x, state, parameters)

    states = list(accumulate(np.moveaxis(inputs, 1, 0), step, initial=initial))
    return np.moveaxis(np.array(states[1:]), 0, 1)
""",
    },
    "backward": {
        "all deltas first": """
def rnn_backward(inputs, initial, states, state_gradients, parameters):
    deltas = np.zeros_like(states)
    later = 0
    for t in range(states.shape[1] - 1, -1, -1):
        deltas[:, t] = (state_gradients[:, t] + later) * (1 - states[:, t] ** 2)
        later = deltas[:, t] @ parameters["W_hh"].T
    before = np.concatenate([initial[:, None], states[:, :-1]], axis=1)
    return {
        "W_xh": np.einsum("btf,btu->fu", inputs, deltas),
        "W_hh": np.einsum("btv,btu->vu", before, deltas),
        "b_h": deltas.sum(axis=(0, 1)),
        "initial": deltas[:, 0] @ parameters["W_hh"].T,
        "inputs": deltas @ parameters["W_xh"].T,
    }
""",
        "one sequence at a time, outer products": """
def rnn_backward(inputs, initial, states, state_gradients, parameters):
    found = {name: np.zeros(array.shape) for name, array in parameters.items()}
    found["initial"], found["inputs"] = np.zeros(initial.shape), np.zeros(inputs.shape)
    for row in range(len(inputs)):
        later = np.zeros(initial.shape[1])
        for t in range(inputs.shape[1] - 1, -1, -1):
            h = states[row, t]
            delta = (state_gradients[row, t] + later) * (1 - h * h)
            found["W_xh"] += np.outer(inputs[row, t], delta)
            found["W_hh"] += np.outer(states[row, t - 1] if t > 0 else initial[row], delta)
            found["b_h"] += delta
            found["inputs"][row, t] = parameters["W_xh"].dot(delta)
            later = parameters["W_hh"].dot(delta)
        found["initial"][row] = later
    return found
""",
    },
    "numeric": {
        "unit vectors": """
def numeric_gradient(loss, values, step=1e-5):
    point = np.asarray(values).astype("float64")
    slopes = []
    for number in range(point.size):
        move = np.zeros(point.size)
        move[number] = step
        move = move.reshape(point.shape)
        slopes.append((loss(point + move) - loss(point - move)) / (2 * step))
    return np.array(slopes).reshape(point.shape)
""",
        "flat view": """
def numeric_gradient(loss, values, step=1e-5):
    above, below = np.array(values, dtype=float), np.array(values, dtype=float)
    result = np.empty(above.shape)
    for place in range(above.size):
        kept = above.flat[place]
        above.flat[place] = kept + step
        below.flat[place] = kept - step
        result.flat[place] = 0.5 * (loss(above) - loss(below)) / step
        above.flat[place] = below.flat[place] = kept
    return result
""",
    },
    "clip": {
        "concatenated": """
def clip_by_norm(gradients, limit):
    everything = np.concatenate([np.ravel(array) for array in gradients.values()])
    norm = np.linalg.norm(everything)
    if norm <= limit:
        return {name: array.copy() for name, array in gradients.items()}, norm
    return {name: limit * array / norm for name, array in gradients.items()}, norm
""",
        "loops": """
def clip_by_norm(gradients, limit):
    total = 0.0
    for array in gradients.values():
        for number in array.ravel():
            total += number**2
    norm = total**0.5
    clipped = {}
    for name in gradients:
        clipped[name] = gradients[name] / max(1.0, norm / limit)
    return clipped, norm
""",
    },
    "lstm": {
        "slices": """
def lstm_step(inputs, state, cell, parameters):
    units = state.shape[1]
    z = parameters["b"] + inputs.dot(parameters["W_x"]) + state.dot(parameters["W_h"])
    with np.errstate(over="ignore"):
        gates = 1 / (1 + np.exp(-z))
    i, f, o = gates[:, :units], gates[:, units : 2 * units], gates[:, 3 * units :]
    g = np.tanh(z[:, 2 * units : 3 * units])
    new = f * cell + i * g
    return o * np.tanh(new), new
""",
        "a gate at a time": """
def lstm_step(inputs, state, cell, parameters):
    units = cell.shape[-1]

    def gate(number, function):
        block = slice(number * units, (number + 1) * units)
        weights = (parameters["W_x"][:, block], parameters["W_h"][:, block], parameters["b"][block])
        return function(inputs @ weights[0] + state @ weights[1] + weights[2])

    def sigmoid(z):
        return np.exp(-np.logaddexp(0, -z))

    memory = gate(1, sigmoid) * cell + gate(0, sigmoid) * gate(2, np.tanh)
    return np.multiply(gate(3, sigmoid), np.tanh(memory)), memory
""",
    },
}


def step(line='np.tanh(inputs @ parameters["W_xh"] + state @ parameters["W_hh"] + parameters["b_h"])'):
    return f"""
def rnn_step(inputs, state, parameters):
    return {line}
"""


def forward(state="initial", moments="range(inputs.shape[1])", update="state", result="np.stack(states, axis=1)"):
    return f"""
def rnn_forward(inputs, initial, parameters):
    states, state = [], {state}
    for t in {moments}:
        new = np.tanh(inputs[:, t] @ parameters["W_xh"] + state @ parameters["W_hh"] + parameters["b_h"])
        {update} = new
        states.append(new)
    return {result}
"""


def backward(
    before="states[:, t - 1] if t else initial",
    delta="(state_gradients[:, t] + later) * (1 - states[:, t] ** 2)",
    input_weights="inputs[:, t].T @ delta",
    state_weights="before.T @ delta",
    bias="delta.sum(axis=0)",
    inputs='delta @ parameters["W_xh"].T',
    later='delta @ parameters["W_hh"].T',
    initial="later",
    end="",
):
    return f"""
def rnn_backward(inputs, initial, states, state_gradients, parameters):
    found = {{name: np.zeros_like(array) for name, array in parameters.items()}}
    found["inputs"] = np.zeros_like(inputs)
    later = np.zeros_like(initial)
    for t in reversed(range(inputs.shape[1])):
        before = {before}
        delta = {delta}
        found["W_xh"] = found["W_xh"] + {input_weights}
        found["W_hh"] = found["W_hh"] + {state_weights}
        found["b_h"] = found["b_h"] + {bias}
        found["inputs"][:, t] = {inputs}
        later = {later}
    found["initial"] = {initial}
    {end}
    return found
"""


def numeric(
    copy="np.array(values, dtype=np.float64)",
    above="kept + step",
    below="kept - step",
    back="values[index] = kept",
    slope="(high - low) / (2 * step)",
    result="gradient",
):
    return f"""
def numeric_gradient(loss, values, step=1e-5):
    values = {copy}
    gradient = np.zeros(values.shape)
    for index in np.ndindex(values.shape):
        kept = values[index]
        values[index] = {above}
        high = loss(values)
        values[index] = {below}
        low = loss(values)
        {back}
        gradient[index] = {slope}
    return {result}
"""


def clip(
    norm="np.sqrt(sum(np.sum(array**2) for array in gradients.values()))",
    factor="min(1, limit / norm) if norm else 1",
    clipped="{name: array * factor for name, array in gradients.items()}",
    report="norm",
):
    return f"""
def clip_by_norm(gradients, limit):
    norm = {norm}
    factor = {factor}
    return {clipped}, {report}
"""


def lstm(
    order="i, f, g, o",
    sums='inputs @ parameters["W_x"] + state @ parameters["W_h"] + parameters["b"]',
    candidate="np.tanh(g)",
    keep="sigmoid(f)",
    cell="keep * cell + sigmoid(i) * candidate",
    state="sigmoid(o) * np.tanh(new)",
    result="state, new",
):
    return f"""
def lstm_step(inputs, state, cell, parameters):
    def sigmoid(z):
        return 0.5 * (1 + np.tanh(z / 2))

    {order} = np.split({sums}, 4, axis=-1)
    candidate = {candidate}
    keep = {keep}
    new = {cell}
    state = {state}
    return {result}
"""


# exercise -> name of the mistake -> (the answer, the check meant for it, what its message says)
WRONG = {
    "step": {
        "no tanh": (
            step('inputs @ parameters["W_xh"] + state @ parameters["W_hh"] + parameters["b_h"]'),
            "step_values",
            "tanh comes after the sum",
        ),
        "sigmoid for tanh": (
            step('1 / (1 + np.exp(-(inputs @ parameters["W_xh"] + state @ parameters["W_hh"] + parameters["b_h"])))'),
            "step_values",
            "tanh comes after the sum",
        ),
        "tanh of each part": (
            step('np.tanh(inputs @ parameters["W_xh"]) + np.tanh(state @ parameters["W_hh"] + parameters["b_h"])'),
            "step_values",
            "tanh taken once",
        ),
        "state weights transposed": (
            step('np.tanh(inputs @ parameters["W_xh"] + state @ parameters["W_hh"].T + parameters["b_h"])'),
            "step_values",
            "half of unit 0",
        ),
        "state number by number": (
            step('np.tanh(inputs @ parameters["W_xh"] + state * parameters["W_hh"].sum(axis=0) + parameters["b_h"])'),
            "step_values",
            "half of unit 0",
        ),
        "no state": (step('np.tanh(inputs @ parameters["W_xh"] + parameters["b_h"])'), "step_values", "half of unit 0"),
        "no bias": (
            step('np.tanh(inputs @ parameters["W_xh"] + state @ parameters["W_hh"])'),
            "step_bias",
            "the bias alone is left",
        ),
        "bias after tanh": (
            step('np.tanh(inputs @ parameters["W_xh"] + state @ parameters["W_hh"]) + parameters["b_h"]'),
            "step_bias",
            "the bias alone is left",
        ),
        "missing batch axis": (
            step('np.tanh(inputs[0] @ parameters["W_xh"] + state[0] @ parameters["W_hh"] + parameters["b_h"])'),
            "step_shape",
            "one row a sequence",
        ),
        "batch of one squeezed": (
            step('np.squeeze(np.tanh(inputs @ parameters["W_xh"] + state @ parameters["W_hh"] + parameters["b_h"]))'),
            "step_shape",
            "keep the batch axis",
        ),
        "the state overwritten": (
            """
def rnn_step(inputs, state, parameters):
    new = np.tanh(inputs @ parameters["W_xh"] + state @ parameters["W_hh"] + parameters["b_h"])
    state[:] = new
    return new
""",
            "step_unchanged",
            "state or bias were changed",
        ),
        "the bias overwritten": (
            """
def rnn_step(inputs, state, parameters):
    total = parameters["b_h"]
    total += (inputs @ parameters["W_xh"] + state @ parameters["W_hh"])[0]
    return np.tanh(inputs @ parameters["W_xh"] + state @ parameters["W_hh"] + total)
""",
            "step_unchanged",
            "state or bias were changed",
        ),
        "the visible example hard-coded": (
            step("np.array([[np.tanh(0.3), np.tanh(0.4)]])"),
            "step_values",
            "multiplied from the left",
        ),
    },
    "forward": {
        "time axis in front": (forward(result="np.stack(states)"), "forward_shape", "(batch, time, units)"),
        "the last state alone": (forward(result="states[-1]"), "forward_shape", "(batch, time, units)"),
        "the initial state among them": (
            forward(result="np.stack([initial, *states], axis=1)"),
            "forward_shape",
            "6 moments",
        ),
        "one moment left out": (
            forward(moments="range(inputs.shape[1] - 1)", result="np.stack(states or [initial], axis=1)"),
            "forward_shape",
            "6 moments",
        ),
        "begins at zero": (forward(state="np.zeros_like(initial)"), "forward_first", "0.3 from `initial`"),
        "state never carried": (forward(update="ignored"), "forward_carries", "an echo"),
        "carried without tanh": (
            """
def rnn_forward(inputs, initial, parameters):
    states, total = [], initial
    for t in range(inputs.shape[1]):
        total = inputs[:, t] @ parameters["W_xh"] + total @ parameters["W_hh"] + parameters["b_h"]
        states.append(np.tanh(total))
    return np.stack(states, axis=1)
""",
            "forward_carries",
            "an echo",
        ),
        "read backwards": (
            forward(moments="reversed(range(inputs.shape[1]))", result="np.stack(states[::-1], axis=1)"),
            "forward_causal",
            "from its beginning",
        ),
        "written backwards": (forward(result="np.stack(states[::-1], axis=1)"), "forward_first", "from `initial`"),
        "the first input at every moment": (
            forward().replace("inputs[:, t]", "inputs[:, 0]"),
            "forward_causal",
            "its own state",
        ),
        "state reset at every other moment": (
            forward(update="state").replace(
                "        new =", "        state = initial if t % 2 == 0 else state\n        new ="
            ),
            "forward_carries",
            "an echo",
        ),
        "three moments hard-coded": (
            forward(moments="range(3)", result="np.stack(states, axis=1)"),
            "forward_shape",
            "6 moments",
        ),
        "initial state used for the first row alone": (
            forward(state="np.concatenate([initial[:1], 0 * initial[1:]])"),
            "forward_first",
            "made from `initial`",
        ),
        "state of the whole class kept between calls": (
            """
KEPT = {}


def rnn_forward(inputs, initial, parameters):
    states, state = [], KEPT.get(initial.shape, initial)
    for t in range(inputs.shape[1]):
        state = np.tanh(inputs[:, t] @ parameters["W_xh"] + state @ parameters["W_hh"] + parameters["b_h"])
        states.append(state)
    KEPT[initial.shape] = state
    return np.stack(states, axis=1)
""",
            "forward_pieces",
            "go on from the state",
        ),
    },
    "backward": {
        "no transpose on the way back": (
            backward(later='delta @ parameters["W_hh"]'),
            "backward_initial",
            "W_hh, transposed",
        ),
        "scalar for outer product": (
            backward(state_weights="np.sum(before * delta)"),
            "backward_state_weights",
            "the state before it",
        ),
        "scalar for outer product at the inputs": (
            backward(input_weights="np.sum(inputs[:, t]) * np.sum(delta)"),
            "backward_input_weights",
            "transposed, times delta",
        ),
        "nothing from later moments": (backward(later="np.zeros_like(initial)"), "backward_bias", "over all moments"),
        "the last moment's loss alone": (
            backward(delta="(state_gradients[:, t] * (t == inputs.shape[1] - 1) + later) * (1 - states[:, t] ** 2)"),
            "backward_bias",
            "over all moments",
        ),
        "slope of tanh forgotten": (
            backward(delta="state_gradients[:, t] + later"),
            "backward_one_moment",
            "the slope of tanh",
        ),
        "slope of tanh taken of the state": (
            backward(delta="(state_gradients[:, t] + later) * (1 - np.tanh(states[:, t]) ** 2)"),
            "backward_one_moment",
            "the slope of tanh",
        ),
        "slope of sigmoid": (
            backward(delta="(state_gradients[:, t] + later) * states[:, t] * (1 - states[:, t])"),
            "backward_one_moment",
            "the slope of tanh",
        ),
        "this moment's state for the one before": (
            backward(before="states[:, t]"),
            "backward_state_weights",
            "the state before it",
        ),
        "zero for the initial state": (
            backward(before="states[:, t - 1] if t else np.zeros_like(initial)"),
            "backward_state_weights",
            "that is `initial`",
        ),
        "the last state before the first": (
            backward(before="states[:, t - 1]"),
            "backward_state_weights",
            "that is `initial`",
        ),
        "mean over the batch": (backward(bias="delta.mean(axis=0)"), "backward_bias", "over the batch"),
        "the first moment alone for the bias": (
            backward(bias="delta.sum(axis=0) * (t == 0)"),
            "backward_bias",
            "over all moments",
        ),
        "the last input alone": (
            backward(input_weights="inputs[:, -1].T @ delta"),
            "backward_input_weights",
            "summed over all moments",
        ),
        "initial gets delta itself": (backward(initial="delta"), "backward_initial", "W_hh, transposed"),
        "initial gets the gradient of moment 1": (
            backward(initial="(delta / (1 - states[:, 0] ** 2))"),
            "backward_initial",
            "W_hh, transposed",
        ),
        "inputs through the wrong matrix": (
            backward(inputs='delta @ parameters["W_hh"].T @ parameters["W_xh"].T'),
            "backward_inputs",
            "W_xh, transposed",
        ),
        "inputs get the direct loss alone": (
            backward(inputs='(state_gradients[:, t] * (1 - states[:, t] ** 2)) @ parameters["W_xh"].T'),
            "backward_inputs",
            "W_xh, transposed",
        ),
        "sign turned": (
            backward(end="found = {name: -array for name, array in found.items()}"),
            "backward_one_moment",
            "the sign is flipped",
        ),
        "truncated after two moments": (
            backward(delta="(state_gradients[:, t] + later * (t >= inputs.shape[1] - 2)) * (1 - states[:, t] ** 2)"),
            "backward_bias",
            "over all moments",
        ),
        "bias as one row a sequence": (backward(bias="delta"), "backward_shapes", "the gradient of b_h"),
        "no gradient of the inputs": (
            backward(end='del found["inputs"]'),
            "backward_shapes",
            "names of the five gradients",
        ),
    },
    "numeric": {
        "one-sided": (
            numeric(below="kept", slope="(high - low) / step"),
            "numeric_centred",
            "a centred difference is exact",
        ),
        "divided by the step": (numeric(slope="(high - low) / step"), "numeric_values", "divided by 2 · step"),
        "not divided": (numeric(slope="high - low"), "numeric_values", "divided by 2 · step"),
        "sign turned": (numeric(slope="(low - high) / (2 * step)"), "numeric_values", "moved alone"),
        "step ignored": (
            numeric(above="kept + 1e-5", below="kept - 1e-5", slope="(high - low) / 2e-5"),
            "numeric_centred",
            "do you use the step",
        ),
        "all numbers moved together": (
            numeric(above="kept + step", back="pass", below="kept - step")
            .replace("values[index] = kept + step", "values += step")
            .replace("values[index] = kept - step", "values -= 2 * step"),
            "numeric_values",
            "moved alone",
        ),
        "not put back": (numeric(back="pass"), "numeric_unchanged", "the loss w0"),
        "put back by adding": (
            numeric(copy="np.asarray(values)", back="values[index] += step"),
            "numeric_unchanged",
            "put the very number back",
        ),
        "values left moved": (
            numeric(copy="np.asarray(values, dtype=np.float64)", back="pass"),
            "numeric_unchanged",
            "`values` was changed",
        ),
        "flat result": (numeric(result="gradient.ravel()"), "numeric_shape", "the shape of `values`"),
        "rows only": (
            """
def numeric_gradient(loss, values, step=1e-5):
    values = np.array(values, dtype=float)
    gradient = np.zeros(values.shape)
    for row in range(len(np.atleast_1d(values))):
        move = np.zeros(values.shape)
        move[row] = step
        gradient[row] = (loss(values + move) - loss(values - move)) / (2 * step)
    return gradient
""",
            "numeric_shape",
            "every single number moved",
        ),
        "whole numbers stay whole": (numeric(copy="np.array(values)"), "numeric_precision", "convert to float64"),
        "single precision": (
            numeric(copy='np.array(values, dtype="float32")'),
            "numeric_precision",
            "convert to float64",
        ),
    },
    "clip": {
        "by value": (
            clip(clipped="{name: np.clip(array, -limit, limit) for name, array in gradients.items()}"),
            "clip_direction",
            "clip the norm, not the values",
        ),
        "each array by itself": (
            clip(
                clipped="{name: array * min(1, limit / np.linalg.norm(array)) if array.any() else array"
                " for name, array in gradients.items()}"
            ),
            "clip_norm",
            "the norm 5 together",
        ),
        "always scaled to the limit": (
            clip(factor="limit / norm if norm else 1"),
            "clip_short",
            "leave them as they are",
        ),
        "square root forgotten": (
            clip(norm="sum(np.sum(array**2) for array in gradients.values())"),
            "clip_norm",
            "the norm 5 together",
        ),
        "sum of absolute values": (
            clip(norm="sum(np.sum(np.abs(array)) for array in gradients.values())"),
            "clip_report",
            "6 and 8",
        ),
        "mean for sum": (
            clip(norm="np.sqrt(np.mean([np.mean(array**2) for array in gradients.values()]))"),
            "clip_report",
            "6 and 8",
        ),
        "the first array alone": (
            clip(norm="np.linalg.norm(next(iter(gradients.values())))"),
            "clip_report",
            "6 and 8",
        ),
        "zero divided by zero": (
            clip(factor="np.minimum(1.0, np.float64(limit) / norm) * norm / norm"),
            "clip_zero",
            "leave zeros",
        ),
        "the norm after clipping": (clip(report="min(norm, limit)"), "clip_report", "6 and 8"),
        "the factor for the norm": (clip(report="factor"), "clip_report", "6 and 8"),
        "changed in place": (
            """
def clip_by_norm(gradients, limit):
    norm = np.sqrt(sum(np.sum(array**2) for array in gradients.values()))
    for array in gradients.values():
        array *= min(1, limit / norm) if norm else 1
    return gradients, norm
""",
            "clip_report",
            "were changed",
        ),
        "dropped where too long": (
            clip(factor="1.0 if norm <= limit else 0.0"),
            "clip_direction",
            "30 has become 0",
        ),
        "limit for the square": (
            clip(factor="min(1, np.sqrt(limit / norm)) if norm else 1"),
            "clip_norm",
            "the norm 5 together",
        ),
    },
    "lstm": {
        "order i, f, o, g": (lstm(order="i, f, o, g"), "lstm_keeps", "the tanh of its block"),
        "forget gate first": (lstm(order="f, i, g, o"), "lstm_keeps", "the blocks are i, f, g, o"),
        "sigmoid of the candidate": (lstm(candidate="sigmoid(g)"), "lstm_keeps", "the tanh of its block"),
        "candidate as it is": (lstm(candidate="g"), "lstm_keeps", "the tanh of its block"),
        "1 added to the forget gate": (lstm(keep="sigmoid(f + 1)"), "lstm_shape", "half of the cell is kept"),
        "gates that sum to 1": (
            lstm(cell="keep * cell + (1 - keep) * candidate"),
            "lstm_keeps",
            "the sigmoid of its own block",
        ),
        "the cell before is shown": (lstm(state="sigmoid(o) * np.tanh(cell)"), "lstm_shows", "NEW cell"),
        "no tanh on the way out": (lstm(state="sigmoid(o) * new"), "lstm_shows", "all of tanh(cell) is shown"),
        "output gate forgotten": (lstm(state="np.tanh(new)"), "lstm_shows", "half of the NEW"),
        "no state": (lstm(sums='inputs @ parameters["W_x"] + parameters["b"]'), "lstm_keras", "h W_h"),
        "no bias": (
            lstm(sums='inputs @ parameters["W_x"] + state @ parameters["W_h"]'),
            "lstm_keras",
            "all go into z",
        ),
        "the cell as the first result": (lstm(result="new, state"), "lstm_shape", "half of the cell is kept"),
        "the state for the cell": (
            lstm(cell="keep * state + sigmoid(i) * candidate"),
            "lstm_keeps",
            "the cell is kept",
        ),
        "the first row for all": (
            lstm(sums='(inputs @ parameters["W_x"] + state @ parameters["W_h"])[:1] + parameters["b"]'),
            "lstm_keras",
            "all go into z",
        ),
    },
}
