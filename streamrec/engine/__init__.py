"""What a decision is made of: profiles and catalog as columns, what events teach, features, policy."""
