using System.Diagnostics;
using System.Globalization;

namespace BackupEngine.Catalog;

/// <summary>
/// A process, so that others can find out whether it has exited. That can be known only in the same running system, process namespace and host, by its id and start time; of all
/// others nothing is assumed. Machines that are cloned while they run share all of this: so what rests on it is safe even when it is wrong (docs/decisions/0027).
/// </summary>
/// <param name="Host">Name of the machine, for people.</param>
/// <param name="System">The running system and its process namespace; empty where the system does not say.</param>
/// <param name="ProcessId">The process.</param>
/// <param name="ProcessStart">When it was started, as the system counts: a later process may have the same id.</param>
internal sealed record ProcessIdentity(string Host, string System, int ProcessId, string ProcessStart)
{
    /// <summary>Gets a random name that the process drew when it started: a process of another machine can have the same id and start. Empty in intents of earlier versions.</summary>
    public string Token { get; init => field = value ?? ""; } = "";

    private const int StartTimeField = 19;

    /// <summary>This process.</summary>
    public static ProcessIdentity Current { get; } = new(
        Environment.MachineName, ReadSystem(), Environment.ProcessId, ReadStart(Environment.ProcessId) ?? "")
    { Token = Guid.NewGuid().ToString("N") };

    /// <summary>Gets a value that indicates whether it is known that the process has exited: it ran in this running system, under this host name.</summary>
    public bool HasExited()
    {
        if (System.Length == 0 || System != Current.System || Host != Current.Host)
            return false;

        // Where processes of others are hidden, its file is missing and yet it runs.
        string? start = ReadStart(ProcessId);
        return start is null ? !IsRunning(ProcessId) : start != ProcessStart;
    }

    private static string ReadSystem()
    {
        if (!OperatingSystem.IsLinux())
            return "";
        try
        {
            string boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            string? space = new FileInfo("/proc/self/ns/pid").LinkTarget;
            return space is null ? "" : $"{boot} {space}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <returns>Null when that cannot be seen; empty when the process has ended and only waits for its parent to notice.</returns>
    private static string? ReadStart(int processId)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            string status = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{processId}/stat"));

            // The program's name stands in parentheses and may hold anything, so fields are counted from behind it.
            string[] fields = status[(status.LastIndexOf(')') + 2)..].Split(' ');
            return fields is ["Z" or "X", ..] ? "" : fields.ElementAtOrDefault(StartTimeField);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsRunning(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
