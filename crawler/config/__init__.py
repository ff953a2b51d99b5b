"""Settings: config.toml as one frozen object, with all its errors in sentences."""
