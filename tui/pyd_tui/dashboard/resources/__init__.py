"""Views of resources and of containers, as data: columns, loaders, filters, orders."""
