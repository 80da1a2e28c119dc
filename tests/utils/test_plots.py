import keras
import numpy as np
import pytest
from matplotlib import pyplot

from utils.plots import plot_history

CURVES = {
    "loss": [0.7, 0.4, 0.2],
    "accuracy": [0.5, 0.8, 0.9],
    "val_loss": [0.6, 0.5, 0.6],
    "val_accuracy": [0.6, 0.8, 0.7],
}


def test_each_metric_has_a_panel_with_training_and_validation():
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


def test_an_empty_history_and_an_unknown_baseline_are_named():
    with pytest.raises(ValueError, match="no finished epoch"):
        plot_history({"loss": []})
    with pytest.raises(ValueError, match=r"'f1'.*loss, accuracy"):
        plot_history(CURVES, baseline={"f1": 1.0})
