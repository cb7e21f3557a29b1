namespace BackupEngine.Service.Load;

/// <summary>What clients ask: mostly single backups, and pages of lists.</summary>
internal sealed class RequestMix(IReadOnlyList<string> ids)
{
    private readonly Random _random = new(20260101);

    public Uri Next()
    {
        string id = ids[_random.Next(ids.Count)];
        string path = _random.Next(10) switch
        {
            < 5 => $"backups/{id}",
            5 => "backups?limit=20",
            6 => "backups/detail?limit=20",
            7 => $"backups/detail?limit=20&marker={id}",
            8 => $"backups?limit=20&status=error&sort=created_at:asc&marker={id}",
            _ => $"backups/detail?limit=20&name=backup-{_random.Next(100_000)}",
        };
        return new Uri($"/v3/{FullCatalog.Project}/{path}", UriKind.Relative);
    }
}
