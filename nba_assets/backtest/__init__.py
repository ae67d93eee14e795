"""Walk-forward tests of points models on the stored features, and the page that shows them."""
