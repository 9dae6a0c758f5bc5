"""An edited crop goes back into its photo."""
