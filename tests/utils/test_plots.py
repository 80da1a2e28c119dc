import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib import pyplot

from utils.plots import plot_gradient_norms, plot_history, plot_temperatures

CURVES = {
    "accuracy": [0.5, 0.8, 0.9],
    "loss": [0.7, 0.4, 0.2],
    "val_accuracy": [0.6, 0.8, 0.7],
    "val_loss": [0.6, 0.5, 0.6],
}


def test_each_metric_has_a_panel_with_training_and_validation_and_the_loss_comes_first():
    figure = plot_history(CURVES, baseline={"accuracy": 0.5})
    loss, accuracy = figure.axes
    assert [line.get_ydata().tolist() for line in loss.lines] == [CURVES["loss"], CURVES["val_loss"]]
    assert loss.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert [text.get_text() for text in accuracy.get_legend().get_texts()] == [
        "training",
        "validation",
        "baseline 0.500",
    ]
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "loss (nats)")
    assert accuracy.get_ylabel() == "accuracy"


def test_metrics_keep_their_order_after_the_loss():
    figure = plot_history({"b": [1], "a": [1], "loss": [1], "learning_rate": [0.1], "val_a": [1]})
    assert [panel.get_ylabel() for panel in figure.axes] == ["loss (nats)", "b", "a"]


def test_a_history_is_told_in_words():
    assert plot_history(CURVES, baseline={"loss": 0.6931}).alt_text == (
        "Loss (nats) by epoch: training falls from 0.7 to 0.2; validation starts and ends at 0.6, lowest at epoch 2 "
        "with 0.5; the baseline is 0.693. Accuracy by epoch: training rises from 0.5 to 0.9; validation rises from "
        "0.6 to 0.7, highest at epoch 2 with 0.8."
    )


def test_pyplot_holds_no_figure_that_it_would_show_a_second_time():
    plot_history(CURVES)
    plot_temperatures([0.5, 0.5], "ab")
    plot_gradient_norms({"RNN": [1, 2]})
    assert pyplot.get_fignums() == []


def test_a_keras_history_and_an_interrupted_one_are_plotted_as_far_as_they_go():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")

    def interrupt(epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(
            np.ones((4, 1)), np.ones(4), epochs=9, verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=interrupt)],
        )  # fmt: skip
    assert len(plot_history(model.history).axes[0].lines[0].get_ydata()) == 2


def test_an_epoch_without_a_number_leaves_a_gap():
    (line,) = plot_history({"loss": [0.7, None, 0.2]}).axes[0].lines
    assert np.isnan(line.get_ydata()[1])


def test_an_empty_history_and_an_unknown_baseline_are_named():
    with pytest.raises(ValueError, match="no finished epoch"):
        plot_history({"loss": []})
    with pytest.raises(ValueError, match=r"'f1'.*loss, accuracy"):
        plot_history(CURVES, baseline={"f1": 1.0})


def bars(panel):
    return np.array([bar.get_width() for bar in panel.patches])


def test_a_temperature_divides_the_log_probabilities():
    distribution = np.array([0.1, 0.6, 0.3])
    cold, warm, hot = plot_temperatures(distribution, "abc", temperatures=(0.5, 1, 2)).axes
    for panel, power in ((cold, 2), (warm, 1), (hot, 0.5)):
        expected = np.sort(distribution**power)[::-1]
        np.testing.assert_allclose(bars(panel), expected / expected.sum(), rtol=1e-12)
    assert [label.get_text() for label in cold.get_yticklabels()] == ["b", "c", "a"]


def test_temperature_0_and_infinity_are_exact_and_impossible_classes_stay_impossible():
    frozen, hottest = plot_temperatures([0.5, 0.3, 0.2, 0.0], "abcd", temperatures=(0, np.inf)).axes
    assert bars(frozen).tolist() == [1, 0, 0, 0]
    np.testing.assert_allclose(bars(hottest), [1 / 3, 1 / 3, 1 / 3, 0])
    assert (frozen.get_title(), hottest.get_title()) == (
        "temperature 0\nentropy 0.00 nats",
        "temperature ∞\nentropy 1.10 nats",
    )


@settings(max_examples=30)  # each draws a figure
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30).filter(lambda values: sum(values) > 0.1), st.floats(0, 1e6))
def test_every_panel_shows_a_whole_distribution(weights, temperature):
    probabilities = np.array(weights) / np.sum(weights)
    (panel,) = plot_temperatures(probabilities, ["x"] * len(weights), temperatures=[temperature], most_probable=5).axes
    assert len(bars(panel)) == min(len(weights), 6)
    assert (bars(panel) >= 0).all()
    assert bars(panel).sum() == pytest.approx(1)


def test_of_many_classes_the_most_probable_are_drawn_and_the_rest_is_one_bar():
    probabilities = np.r_[0.5, 0.3, np.full(50, 0.004)]
    (panel,) = plot_temperatures(probabilities, [" ", "\n", *"x" * 50], [1], most_probable=2).axes
    np.testing.assert_allclose(bars(panel), [0.5, 0.3, 0.2])
    assert [label.get_text() for label in panel.get_yticklabels()] == ["␣", "↵", "50 others"]


def test_temperatures_are_told_in_words():
    figure = plot_temperatures([0.25, 0.75], "ab", temperatures=(0, 1))
    assert figure.alt_text == (
        "Probabilities of the 2 most probable of 2 classes. The most probable, b, has 1.00 at temperature 0 "
        "(entropy 0.00 nats), 0.75 at temperature 1 (entropy 0.56 nats)."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0.5, 0.5]], "ab"), r"shape \(classes,\), got \(1, 2\)"),
        (([], ""), r"got \(0,\)"),
        (([1.5, -0.5], "ab"), r"smallest of -0.5.*softmax"),
        (([3, 1], "ab"), r"sum of 4.*counts"),
        (([np.nan, 1], "ab"), "sum of nan"),
        (([0.5, 0.5], "abc"), "3 labels do not fit 2 classes"),
        (([0.5, 0.5], "ab", [-1]), r"at least 0, got \[-1\]"),
        (([0.5, 0.5], "ab", []), r"one or more numbers"),
        (([0.5, 0.5], "ab", [1], 0), "most_probable must be at least 1"),
    ],
)
def test_what_is_no_distribution_is_refused_with_what_to_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_temperatures(*arguments)


def test_gradient_norms_are_drawn_from_the_last_step_back_on_a_logarithmic_axis():
    figure = plot_gradient_norms({"RNN": [0.01, 0.1, 1], "LSTM": [0.9, 0.95, 1, 1]})
    (panel,) = figure.axes
    assert panel.get_yscale() == "log"
    assert panel.lines[0].get_ydata().tolist() == [1, 0.1, 0.01]
    assert panel.lines[0].get_xdata().tolist() == [0, 1, 2]
    assert panel.lines[0].get_linestyle() != panel.lines[1].get_linestyle()
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("steps back in time", "norm of the gradient")


@settings(max_examples=30)
@given(st.floats(0.5, 2), st.integers(2, 50))
def test_the_legend_gives_the_factor_by_which_gradients_shrink_or_grow(factor, time):
    (label,) = plot_gradient_norms({"RNN": factor ** np.arange(time)[::-1]}).legends[0].get_texts()
    assert float(label.get_text().removeprefix("RNN: ×").removesuffix(" a step")) == pytest.approx(factor, rel=0.06)


def test_norms_that_a_logarithm_cannot_show_are_counted():
    figure = plot_gradient_norms({"ReLU": [0, 0, 0.25, 0.5, 1], "vast": [np.inf, 10, 1]})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "ReLU: ×0.5 a step, 2 of 5 steps 0 or infinite",
        "vast: ×10 a step, 1 of 3 steps 0 or infinite",
    ]
    assert "ReLU goes from 1 to 0 in 4 steps" in figure.alt_text


def test_norms_that_are_none_are_refused_by_their_curves_name():
    with pytest.raises(ValueError, match="at least one curve"):
        plot_gradient_norms({})
    with pytest.raises(ValueError, match=r"'RNN' must have shape \(time,\), got \(2, 3\)"):
        plot_gradient_norms({"RNN": np.ones((2, 3))})
    with pytest.raises(ValueError, match=r"'RNN' must have shape \(time,\), got \(0,\)"):
        plot_gradient_norms({"RNN": []})
    for bad in (-1.0, np.nan):
        with pytest.raises(ValueError, match="'RNN' hold a NaN or a negative"):
            plot_gradient_norms({"LSTM": [1.0], "RNN": [1.0, bad]})
