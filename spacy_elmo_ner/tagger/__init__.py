"""Token vectors to entity tags: tag schemes, CRF, and the network that feeds it."""
