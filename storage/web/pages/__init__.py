"""The pages: a module each, whose functions take a Reading and a Request and return an Answer."""
