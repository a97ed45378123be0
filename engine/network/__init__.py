"""Networks as steps on flat features, and what is known of them from their weights."""
