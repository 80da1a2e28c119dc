"""Numeric gradients: they agree with right derivatives, and name what is wrong with others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.gradients import check_gradients, numeric_gradient, relative_error


def make_network(seed, batch=2, timesteps=4, features=3, units=5):
    """Parameters of a small RNN with a linear output, inputs and targets."""
    rng = np.random.default_rng(seed)
    shapes = {"W_xh": (features, units), "W_hh": (units, units), "b_h": (units,), "W_hy": (units, 1)}
    parameters = {name: rng.normal(0, 0.5, shape) for name, shape in shapes.items()}
    return parameters, rng.normal(size=(batch, timesteps, features)), rng.normal(size=(batch, timesteps, 1))


def run_forward(parameters, x):
    """Hidden states from before the first step on, (batch, timesteps + 1, units)."""
    states = [np.zeros((len(x), len(parameters["b_h"])))]
    for step in range(x.shape[1]):
        before = x[:, step] @ parameters["W_xh"] + states[-1] @ parameters["W_hh"] + parameters["b_h"]
        states.append(np.tanh(before))
    return np.stack(states, axis=1)


def squared_error(parameters, x, y):
    return np.mean((run_forward(parameters, x)[:, 1:] @ parameters["W_hy"] - y) ** 2)


def run_backward(parameters, x, y, mistake=None):
    states = run_forward(parameters, x)
    error = 2 * (states[:, 1:] @ parameters["W_hy"] - y) / y.size
    gradients = {name: np.zeros_like(values) for name, values in parameters.items()}
    from_later = np.zeros_like(states[:, 0])
    for step in reversed(range(x.shape[1])):
        if mistake == "no sum over time":
            gradients = {name: np.zeros_like(values) for name, values in parameters.items()}
        state, previous = states[:, step + 1], states[:, step]
        gradients["W_hy"] += state.T @ error[:, step]
        delta = error[:, step] @ parameters["W_hy"].T + from_later
        if mistake != "no tanh derivative":
            delta = delta * (1 - state**2)
        gradients["W_xh"] += x[:, step].T @ delta
        gradients["W_hh"] += np.sum(previous * delta) if mistake == "scalar for outer product" else previous.T @ delta
        gradients["b_h"] += delta.sum(axis=0)
        from_later = delta @ (parameters["W_hh"] if mistake == "no transpose" else parameters["W_hh"].T)
    return gradients


def check(parameters, gradients, x, y, **options):
    return check_gradients(lambda given: squared_error(given, x, y), parameters, gradients, **options)


sizes = st.integers(1, 4)


@given(seed=st.integers(0, 10**6), batch=sizes, timesteps=sizes, features=sizes, units=sizes)
def test_the_right_backward_pass_agrees_in_every_shape(seed, batch, timesteps, features, units):
    parameters, x, y = make_network(seed, batch, timesteps, features, units)
    table = check(parameters, run_backward(parameters, x, y), x, y)
    assert table.error < 1e-6
    assert {name: record.checked for name, record in table.items()} == {n: v.size for n, v in parameters.items()}
    assert not any(record.remark for record in table.values())


@pytest.mark.parametrize("mistake", ["scalar for outer product", "no transpose", "no sum over time"])
@pytest.mark.parametrize("seed", range(3))
def test_a_wrong_product_or_sum_shows_in_the_recurrent_weights(mistake, seed):
    parameters, x, y = make_network(seed)
    table = check(parameters, run_backward(parameters, x, y, mistake), x, y)
    assert table["W_hh"].error > 0.1
    assert table["W_hy"].error < 1e-6 or mistake == "no sum over time"


@pytest.mark.parametrize("seed", range(3))
def test_a_forgotten_tanh_derivative_shows_everywhere_but_in_the_output_weights(seed):
    parameters, x, y = make_network(seed)
    table = check(parameters, run_backward(parameters, x, y, "no tanh derivative"), x, y)
    assert [name for name, record in table.items() if record.error > 0.1] == ["W_xh", "W_hh", "b_h"]


def test_a_scalar_for_an_outer_product_is_named():
    parameters, x, y = make_network(0)
    record = check(parameters, run_backward(parameters, x, y, "scalar for outer product"), x, y)["W_hh"]
    assert record.error > 0.9
    assert record.remark == f"every number is {record.analytic:.4g}"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("spoil", "remark"),
    [
        (lambda right: 2 * right, "every number is 2 times what is expected"),
        (lambda right: right / 8, "every number is 0.125 times what is expected"),
        (lambda right: -right, "the sign is flipped"),
        (lambda right: 0 * right, "every number is 0"),
        (lambda right: right + 1, "every number is 1 too large"),
        (lambda right: right.T, "the right numbers transposed"),
        (lambda right: right[::-1], "the right rows in another order"),
        (lambda right: np.where(right == right[0, 1], np.nan, right), "1 of 25 numbers are NaN"),
        (lambda right: right * np.nan, "every number is NaN"),
        (lambda right: np.where(right == right[0, 1], np.inf, right), ""),
        (lambda right: right.sum(), "shape () where (5, 5) is expected"),
        (lambda right: right[0], "shape (5,) where (5, 5) is expected, one axis is missing"),
        (lambda right: right.ravel(), "shape (25,) where (5, 5) is expected, the right numbers in another shape"),
    ],
)
def test_what_is_certain_is_said(spoil, remark):
    parameters, x, y = make_network(1)
    gradients = run_backward(parameters, x, y)
    table = check(parameters, {**gradients, "W_hh": spoil(gradients["W_hh"])}, x, y)
    assert table["W_hh"].remark == remark
    assert table["W_hh"].error > 0.1
    assert table["W_xh"].error < 1e-6


def test_a_transposed_gradient_of_a_wide_matrix_is_recognised_by_its_numbers():
    parameters, x, y = make_network(1)
    gradients = run_backward(parameters, x, y)
    record = check(parameters, {**gradients, "W_xh": gradients["W_xh"].T}, x, y)["W_xh"]
    assert record.remark == "shape (5, 3) where (3, 5) is expected, the right numbers transposed"
    assert record.error == np.inf
    assert record.place is None


def test_one_wrong_number_is_found_and_nothing_is_made_up_about_the_others():
    parameters, x, y = make_network(2)
    gradients = run_backward(parameters, x, y)
    right = gradients["W_xh"][2, 3]
    gradients["W_xh"][2, 3] += 0.5
    record = check(parameters, gradients, x, y)["W_xh"]
    assert record.place == (2, 3)
    assert record.analytic == right + 0.5
    assert record.numeric == pytest.approx(right, rel=1e-6)
    assert record.remark == ""


def test_a_steep_loss_is_not_blamed_for_its_rounding():
    values = np.linspace(1, 2, 5)
    loss = lambda given: 1e6 + np.sum(given**2)  # noqa: E731
    assert check_gradients(loss, values, 2 * values).error < 1e-6
    assert check_gradients(loss, values, 2.01 * values).error > 1e-6


def test_a_loss_that_ignores_a_parameter_is_named():
    values = {"used": np.ones(2), "unused": np.ones(3)}
    table = check_gradients(lambda given: np.sum(given["used"]), values, {"used": [1, 1], "unused": [1, 1, 1]})
    assert table["used"].error < 1e-6
    assert table["unused"].remark == "the loss does not change with it"


def test_a_sample_of_the_numbers_is_checked_where_asked():
    parameters, x, y = make_network(3)
    gradients = {name: 3 * gradient for name, gradient in run_backward(parameters, x, y).items()}
    table = check(parameters, gradients, x, y, samples=4, rng=np.random.default_rng(0))
    again = check(parameters, gradients, x, y, samples=4, rng=np.random.default_rng(0))
    assert table == again
    assert {record.checked for record in table.values()} == {4}
    assert table["W_hh"].remark == "every number is 3 times what is expected, of 4 compared"


def test_the_table_prints_a_row_for_each_parameter():
    table = check_gradients(lambda values: np.sum(values**2), np.array([1.0, 2.0]), np.array([2.0, 2.0]))
    assert [line.split() for line in str(table).splitlines()] == [
        ["parameter", "relative", "error", "at", "gradient", "numeric", "remark"],
        ["values", "5.0e-01", "(1,)", "2", "4", "every", "number", "is", "2"],
    ]
    assert repr(table) == str(table)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=6))
def test_the_numeric_gradient_of_a_cubic_is_its_derivative(numbers):
    values = np.array(numbers)
    slopes = numeric_gradient(lambda given: np.sum(given**3), values)
    size = 1 + np.sum(np.abs(values) ** 3)  # rounding grows with the loss
    np.testing.assert_allclose(slopes, 3 * values**2, rtol=1e-6, atol=1e-9 * size)


def test_the_numeric_gradient_has_the_shape_of_the_values():
    assert numeric_gradient(lambda given: given**2, 3.0).shape == ()
    assert numeric_gradient(np.sum, np.ones((2, 0, 3))).shape == (2, 0, 3)
    np.testing.assert_allclose(numeric_gradient(np.sum, np.ones((2, 1, 3))), np.ones((2, 1, 3)))


def test_a_large_value_is_moved_by_what_the_step_became_in_rounding():
    slopes = numeric_gradient(lambda given: given[0], np.array([1e9 + 0.3]))
    assert slopes == pytest.approx([1.0], abs=1e-12)


def test_the_parameters_are_the_same_after_the_check_and_after_an_error():
    parameters, x, y = make_network(4)
    before = {name: values.copy() for name, values in parameters.items()}
    calls = []

    def failing_loss(given):
        calls.append(given)
        if len(calls) == 8:
            raise RuntimeError("broken")
        return squared_error(given, x, y)

    with pytest.raises(RuntimeError, match="broken"):
        check_gradients(failing_loss, parameters, run_backward(parameters, x, y))
    for name, values in parameters.items():
        np.testing.assert_array_equal(values, before[name], strict=True)


def test_a_loss_cannot_change_what_it_is_given():
    def loss(given):
        given["w"] *= 0.5
        return np.sum(given["w"])

    values = {"w": np.ones(3)}
    with pytest.raises(ValueError, match="read-only"):
        check_gradients(loss, values, {"w": np.ones(3)})
    assert check_gradients(lambda given: np.sum(given.pop("w")), values, {"w": np.ones(3)}).error < 1e-6


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "bool"])
def test_other_types_than_float64_are_refused(dtype):
    message = r"'w' is \w+, and only in float64 .* \.astype\(np\.float64\)"
    with pytest.raises(TypeError, match=message):
        check_gradients(lambda given: np.sum(given["w"]), {"w": np.ones(2, dtype)}, {"w": np.ones(2)})


def test_a_loss_in_float32_is_refused():
    with pytest.raises(TypeError, match="the loss is float32, too coarse"):
        numeric_gradient(lambda given: np.float32(given.sum()), np.ones(2))


@pytest.mark.parametrize("result", [np.ones(2), None, "1", 1j, True])
def test_a_loss_that_is_not_one_number_is_refused(result):
    with pytest.raises(ValueError, match=r"the loss must give one number, got .* at \(0,\)"):
        numeric_gradient(lambda given: result, np.ones(2))


def test_a_loss_that_is_not_finite_is_named_with_the_move_that_made_it_so():
    with pytest.raises(ValueError, match="the loss is nan at the given parameters"):
        check_gradients(lambda given: np.nan, np.ones(2), np.ones(2))
    with pytest.raises(ValueError, match=r"the loss is inf with 'values' moved from 1 to 1.00001 at \(1,\)"):
        numeric_gradient(lambda given: np.inf if given[1] > 1 else 0.0, np.ones(2))


@pytest.mark.parametrize("step", [0, -1e-5, 1e-20, float("nan")])
def test_a_step_that_moves_nothing_up_is_refused(step):
    with pytest.raises(ValueError, match="step must be positive and large enough to move 1 in 'values'"):
        numeric_gradient(np.sum, np.ones(2), step=step)


def test_names_that_differ_are_listed():
    values = {"W": np.ones(1), "b": np.ones(1)}
    with pytest.raises(ValueError, match=r"missing: \['b'\], unknown: \['db'\]"):
        check_gradients(lambda given: 0.0, values, {"W": np.ones(1), "db": np.ones(1)})
    with pytest.raises(ValueError, match="at least one array"):
        check_gradients(lambda given: 0.0, {}, {})
    with pytest.raises(TypeError, match="gradients must be a dict with the names of the parameters, got list"):
        check_gradients(lambda given: 0.0, values, [np.ones(1), np.ones(1)])


def test_a_gradient_that_holds_no_numbers_is_refused():
    with pytest.raises(TypeError, match="the gradient of 'values' must be an array of numbers, got "):
        check_gradients(np.sum, np.ones(2), ["one", "one"])


def test_a_sample_of_nothing_is_refused():
    with pytest.raises(ValueError, match="samples must be at least 1"):
        check_gradients(np.sum, np.ones(2), np.ones(2), samples=0)


finite = st.floats(-1e6, 1e6)


@given(finite, finite)
def test_the_relative_error_is_symmetric_and_at_most_two(one, other):
    error = relative_error([one], [other])
    np.testing.assert_array_equal(error, relative_error([other], [one]))
    assert 0 <= error[0] <= 2
    assert (error[0] == 0) == (one == other)


def test_the_relative_error_measures_small_gradients_against_the_floor():
    np.testing.assert_allclose(relative_error([1.0, -1.0, 3e-10, 0.0], [2.0, 1.0, 1e-10, 0.0]), [0.5, 2, 2e-7, 0])
    np.testing.assert_allclose(relative_error(3e-11, 1e-11, floor=1e-12), 2 / 3)


def test_gradients_of_two_shapes_have_no_relative_error():
    with pytest.raises(ValueError, match=r"got \(2,\) and \(1,\)"):
        relative_error([1.0, 2.0], [1.0])


@pytest.mark.parametrize("gradient", [None, "steep"])
def test_a_gradient_that_is_no_array_is_refused(gradient):
    with pytest.raises(TypeError, match="does the backward pass return it"):
        check_gradients(lambda values: np.sum(values**2), np.ones(2), gradient)
