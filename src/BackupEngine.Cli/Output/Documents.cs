using System.Text.Json.Serialization;
using BackupEngine.Catalog;
using BackupEngine.Diagnostics;

namespace BackupEngine.Cli.Output;

/// <summary>What <c>restore --json</c> prints.</summary>
/// <param name="BackupId">The backup that was restored.</param>
/// <param name="VolumeId">The volume it is of.</param>
/// <param name="Target">Where it was restored to.</param>
/// <param name="TargetCreated">Whether the target is a new file.</param>
/// <param name="Resumed">Whether the new file had been begun by a restore that was interrupted.</param>
/// <param name="VolumeSize">Size of the volume in bytes.</param>
/// <param name="BytesRead">Bytes fetched from the container.</param>
/// <param name="BytesChanged">Bytes of the target that were written or made zero.</param>
/// <param name="BytesStored">Bytes added to the container: none.</param>
/// <param name="BytesRestored">Bytes of the volume that the target now holds.</param>
/// <param name="BytesCompared">Bytes read from the target, to find what differs.</param>
/// <param name="BytesWritten">Bytes of data written to the target.</param>
/// <param name="BytesZeroed">Bytes made zero in the target.</param>
/// <param name="BytesLost">Bytes of the volume that could not be restored.</param>
/// <param name="LostRanges">Which those are.</param>
/// <param name="DurationSeconds">How long it took.</param>
/// <param name="Requests">Calls made to the store.</param>
internal sealed record RestoreDocument(
    Guid BackupId,
    string VolumeId,
    string Target,
    bool TargetCreated,
    bool Resumed,
    long VolumeSize,
    long BytesRead,
    long BytesChanged,
    long BytesStored,
    long BytesRestored,
    long BytesCompared,
    long BytesWritten,
    long BytesZeroed,
    long BytesLost,
    IReadOnlyList<LostRange> LostRanges,
    double DurationSeconds,
    RequestCounts Requests)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ExitCode { get; init; }
}

/// <summary>What <c>delete --json</c> prints.</summary>
internal sealed record DeleteDocument(Guid Id, string VolumeId, bool Deleted, RequestCounts Requests);

/// <summary>What <c>verify --json</c> prints; with findings it is the error document as well.</summary>
internal sealed record VerifyDocument(
    bool Ok,
    bool Deep,
    int BackupsChecked,
    long PacksChecked,
    long BytesRead,
    double DurationSeconds,
    IReadOnlyList<VerifyFinding> Findings,
    IReadOnlyList<Guid> IntactAgain,
    IReadOnlyList<Guid> FutureTimestamps,
    RequestCounts Requests)
{
    /// <summary>Gets the backups that were not checked, because a newer engine wrote them. Null when there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<Guid>? BackupsSkipped { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? ExitCode { get; init; }
}

/// <summary>What <c>repair --json</c> prints.</summary>
internal sealed record RepairDocument(
    bool Ok, IReadOnlyList<Guid> RecordsRebuilt, IReadOnlyList<Guid> BackupsMarked, IReadOnlyList<Guid> BackupsCleared, IReadOnlyList<VerifyFinding> Findings, IReadOnlyList<Guid> FutureTimestamps, string? NextStep, RequestCounts Requests);

/// <summary>What <c>prune --json</c> prints.</summary>
internal sealed record PruneDocument(
    bool DryRun,
    IReadOnlyList<Guid> BackupsRemoved,
    int BackupsKept,
    long ManifestsRemoved,
    long PacksRemoved,
    long BytesRemoved,
    long PacksRepacked,
    long BytesRepacked,
    IReadOnlyList<PruneIntent> IntentsRemoved,
    IReadOnlyList<PruneIntent> IntentsLeft,
    IReadOnlyList<string> Kept,
    IReadOnlyList<UnreferencedData> Unreferenced,
    double DurationSeconds,
    RequestCounts Requests)
{
    public static PruneDocument Of(PruneReport report, double seconds, RequestCounts requests) => new(
        report.DryRun, report.BackupsRemoved, report.BackupsKept, report.ManifestsRemoved, report.PacksRemoved, report.BytesRemoved, report.PacksRepacked, report.BytesRepacked,
        report.IntentsRemoved, report.IntentsLeft, report.Kept, report.Unreferenced, seconds, requests);
}

/// <summary>What <c>demo --json</c> prints.</summary>
internal sealed record DemoDocument(bool Ok, long VolumeSize, string? Directory, IReadOnlyList<DemoStepDocument> Steps);

/// <summary>One step of the tour; figures that a step does not have are null.</summary>
internal sealed record DemoStepDocument(string Step, double DurationSeconds, long? BytesRead, long? BytesChanged, long? BytesStored);

/// <summary>What <c>--json</c> prints in place of a result.</summary>
internal sealed record ErrorDocument(string Error, int ExitCode);
