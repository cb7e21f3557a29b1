namespace BackupEngine.Catalog;

/// <summary>How intents and marks show that their owner is active.</summary>
/// <param name="RefreshInterval">The time between two refreshes by the owner.</param>
/// <param name="StaleAfter">The time without a refresh, by the store's clock, after which others consider them stale.</param>
internal readonly record struct IntentLifetime(TimeSpan RefreshInterval, TimeSpan StaleAfter);
