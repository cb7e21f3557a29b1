namespace BackupEngine.Volumes;

/// <summary>Finds out from sysfs, the mounts, and a claim of the device what may write to a block device.</summary>
internal static class LinuxDeviceUse
{
    private const string DevicesByNumber = "/sys/dev/block";

    // Fields of /sys/dev/block/*/stat (Documentation/block/stat.rst).
    private const int WriteRequests = 4;
    private const int WriteSectors = 6;
    private const int DiscardRequests = 11;

    /// <summary>Returns counters that grow with every write to a device; null when the kernel does not count.</summary>
    public static string? ReadWriteCounters(LinuxDeviceNumber device)
    {
        string path = $"{DevicesByNumber}/{device}/stat";
        if (!File.Exists(path))
            return null;
        string[] fields = File.ReadAllText(path).Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return fields.Length > WriteSectors ? $"{fields[WriteRequests]} {fields[WriteSectors]} {fields.ElementAtOrDefault(DiscardRequests)}" : null;
    }

    /// <summary>Describes what may write to a device.</summary>
    /// <param name="path">Path of the device file.</param>
    /// <param name="device">The device's number.</param>
    /// <param name="isClaimedHere">Whether this process holds the device exclusively.</param>
    /// <returns>A clause for a message; null when nothing is known.</returns>
    public static string? FindWriter(string path, LinuxDeviceNumber device, bool isClaimedHere)
    {
        List<LinuxMounts.Mount> mounts = LinuxMounts.Read();
        List<string> swaps = LinuxMounts.ReadSwaps();
        bool isUsedReadOnly = false;
        foreach ((string number, bool isHolder) in FindStack(device.ToString()))
        {
            foreach (LinuxMounts.Mount mount in mounts.Where(mount => mount.Device == number || IsDevice(mount.Source, number)))
            {
                if (mount.IsWritable)
                    return $"{DescribeDevice(number, device)} is mounted read-write at {mount.Path}";
                isUsedReadOnly = true;
            }

            if (swaps.Exists(swap => IsDevice(swap, number)))
                return $"{DescribeDevice(number, device)} is swap space";
            if (!isHolder)
                continue;
            if (!IsReadOnly(number))
                return $"it is part of {NameOf(number)}";
            isUsedReadOnly = true;
        }

        // Whoever uses it otherwise, in another mount namespace or a program of its own, has claimed it.
        return !isUsedReadOnly && !isClaimedHere && LinuxNative.IsClaimed(path) ? "another program has claimed it exclusively" : null;
    }

    /// <summary>Describes what uses a device at all, to write or only to read.</summary>
    public static string? FindMount(LinuxDeviceNumber device)
    {
        List<LinuxMounts.Mount> mounts = LinuxMounts.Read();
        foreach ((string number, _) in FindStack(device.ToString()))
        {
            foreach (LinuxMounts.Mount mount in mounts.Where(mount => mount.Device == number || IsDevice(mount.Source, number)))
                return $"{NameOf(number)} is mounted at {mount.Path}";
        }

        return null;
    }

    /// <summary>Returns a device, its partitions, and all devices that are built on any of these.</summary>
    private static IEnumerable<(string Number, bool IsHolder)> FindStack(string device)
    {
        HashSet<string> seen = [device];
        Queue<(string Number, bool IsHolder)> pending = new([(device, false)]);
        while (pending.TryDequeue(out (string Number, bool IsHolder) next))
        {
            yield return next;
            string directory = $"{DevicesByNumber}/{next.Number}";
            if (!Directory.Exists(directory))
                continue;
            foreach (string partition in Directory.EnumerateDirectories(directory).Where(child => File.Exists($"{child}/partition")))
                Add($"{partition}/dev", next.IsHolder);
            if (!Directory.Exists($"{directory}/holders"))
                continue;
            foreach (string holder in Directory.EnumerateFileSystemEntries($"{directory}/holders"))
                Add($"{holder}/dev", isHolder: true);
        }

        void Add(string numberFile, bool isHolder)
        {
            if (File.Exists(numberFile) && File.ReadAllText(numberFile).Trim() is var number && seen.Add(number))
                pending.Enqueue((number, isHolder));
        }
    }

    private static bool IsDevice(string path, string number) =>
        path.StartsWith("/dev/", StringComparison.Ordinal) && LinuxNative.TryGetStatus(path) is { } status && status.DeviceNumber.ToString() == number;

    private static bool IsReadOnly(string number) => File.Exists($"{DevicesByNumber}/{number}/ro") && File.ReadAllText($"{DevicesByNumber}/{number}/ro").Trim() == "1";

    private static string DescribeDevice(string number, LinuxDeviceNumber device) => number == device.ToString() ? "it" : NameOf(number);

    private static string NameOf(string number)
    {
        string directory = $"{DevicesByNumber}/{number}";
        string mapped = $"{directory}/dm/name";
        return File.Exists(mapped) ? $"/dev/mapper/{File.ReadAllText(mapped).Trim()}"
            : Directory.ResolveLinkTarget(directory, returnFinalTarget: true) is { } target ? $"/dev/{target.Name}"
            : $"device {number}";
    }
}
