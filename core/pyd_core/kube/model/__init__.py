"""Objects of the Kubernetes API, as far as pyd reads them."""
