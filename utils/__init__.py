"""The mechanics of the course; what teaches stands in the notebooks.

What notebooks import:
    session          start a notebook: seeds, versions, hardware
    datasets         the course's texts, digits and ratings, fetched and verified
    text             words, vocabularies, windows, reading a text file
    padding          sequences of different lengths in one array
    bucketing        batches of similar length, with less padding
    mixing           batches joined from several sources
    sampling         draw from a model's distribution
    generation       let a model write
    callbacks        show samples while a model trains
    plots            histories, temperatures, norms of gradients
    tables           tables of results, mean and spread over seeds
    representations  maps of embeddings, activations over a text
    surprise         how unexpected each character is, as coloured text
    gradients        check a backward pass against numeric gradients
    checks           what the checks of a problem set call

What these stand on: registry and archives (datasets), vocabulary (text), batches and batch_sources (mixing), recurrence
and compilation (generation), figures (plots, representations), differences (gradients, checks).
"""
