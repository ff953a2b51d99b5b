"""Who may ask which host when: pure decisions about pace, one asynchronous shell."""
