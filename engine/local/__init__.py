"""Networks restricted to small cells, where most neurons are always on or always off."""
