"""How products and recurrences run: on a CPU with its weights packed, on a GPU, to learn.

    lstm_inference.py   one LSTM layer in one direction, for prediction on any device
    lstm_training.py    the same with its gradient
    cuda_graphs.py      the loop for prediction on a GPU, several steps to a launch
    segments.py         those steps, filled up to a usual number of rows
    packed_products.py  products with weights laid out for the CPU
    int8_products.py    the same in int8
    row_buckets.py      what both need: few different numbers of rows
    steady_product.py   a product on weights as they are, the same in any batch
    packing.py          sentences of unequal length → rows that no step wastes
    uploads.py          arrays on their way to a GPU
    derived.py          what is derived from weights, kept until they change
    scripting.py        loops that do not wait for each other in Python
    threads.py          parallel calls, on our own threads
    fork_safe_lock.py   what threads share, and forked processes, too
    autocast.py         what torch.autocast means for products that it does not see
    cpu_features.py     what this CPU is fast in

Nothing here knows what a word or a character is.
"""
