using System.Text.Json.Serialization;

namespace BackupEngine.Benchmarks.RawBound;

/// <summary>What a raw-bound run prints.</summary>
/// <param name="Seconds">Wall time of the work alone, without the start of the process.</param>
/// <param name="CpuSeconds">User and system time of all threads in that time.</param>
/// <param name="BytesRead">Bytes read from the file; holes are not read.</param>
/// <param name="BytesHashed">Bytes of chunks that are not zero.</param>
/// <param name="BytesCompressed">What LZ4 made of them; 0 when it was left out.</param>
/// <param name="Workers">Threads.</param>
/// <param name="Lz4">Whether chunks were compressed.</param>
/// <param name="Check">All hashes, folded: the same for the same file, so that nobody can leave work out.</param>
internal sealed record RawBoundResult(
    double Seconds, double CpuSeconds, long BytesRead, long BytesHashed, long BytesCompressed, int Workers, bool Lz4, string Check);

/// <summary>The JSON of the verbs.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RawBoundResult))]
internal sealed partial class RawBoundJson : JsonSerializerContext;
