namespace BackupEngine.Service.Volumes;

/// <summary>A volume that is there.</summary>
/// <param name="Id">Its id.</param>
/// <param name="SizeBytes">Its size.</param>
/// <param name="Name">A name for people, if one is known.</param>
internal sealed record FoundVolume(string Id, long SizeBytes, string? Name = null);
