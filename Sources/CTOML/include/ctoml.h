/* the C face on toml++ */
